//! Answers the cases of `conformance/`: each line of the input is `[area, case]` as JSON, each of the output an answer as JSON.

#[path = "../tests/conformance/answers/mod.rs"]
mod answers;

use std::io::{self, BufRead, BufWriter, Write};

fn main() -> io::Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let (area, case): (String, serde_json::Value) = serde_json::from_str(&line?)?;
        serde_json::to_writer(&mut output, &answers::answer(&area, &case))?;
        output.write_all(b"\n")?;
    }
    output.flush()
}

//! Trees of small files, written in one text file.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Writes the tree that `text` describes below `root`: on each line a path and, after a space, the file's content, in which `\n` is a new
/// line and to which one is added; or `->` and the target of a symbolic link, from the root of the tree. `#` begins a comment. Two paths may
/// have the same beginning: a line that ends in `/` is the directory of those that follow it and begin with a space.
pub fn unpack(text: &str, root: &Path) {
    let mut directory = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        if line.ends_with('/') {
            line.clone_into(&mut directory);
            continue;
        }
        let (path, content) = match line.strip_prefix(' ') {
            Some(rest) => {
                let (name, content) = rest.split_once(' ').unwrap_or((rest, ""));
                (format!("{directory}{name}"), content)
            }
            None => {
                let (path, content) = line.split_once(' ').unwrap_or((line, ""));
                (path.to_owned(), content)
            }
        };
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content.strip_prefix("-> ") {
            Some(target) => symlink(root.join(target), path).unwrap(),
            None => fs::write(path, content.replace("\\n", "\n") + "\n").unwrap(),
        }
    }
}

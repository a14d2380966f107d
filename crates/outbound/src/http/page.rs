//! Whether an answer is a page for people: what a hotel's network, a proxy or a server in front gives instead of the server that is meant.

/// How pages begin, of what the WHATWG's MIME Sniffing (7.1) has for it: those that no program answers another one with.
const BEGINNINGS: [&[u8]; 8] = [
    b"<!doctype",
    b"<html",
    b"<head",
    b"<body",
    b"<title",
    b"<meta",
    b"<script",
    b"<!--",
];

/// By the body alone: what serves requests of programs often calls its `ok` text/html, and what gives pages may call them anything.
pub(super) fn is_page(body: &[u8]) -> bool {
    let mut rest = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    // The declaration of XHTML.
    if rest.starts_with(b"<?xml") {
        let end = rest.windows(2).position(|pair| pair == b"?>");
        rest = end.map_or(rest, |end| rest[end + 2..].trim_ascii_start());
    }
    BEGINNINGS.iter().any(|beginning| {
        rest.get(..beginning.len())
            .is_some_and(|own| own.eq_ignore_ascii_case(beginning))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_one_by_its_text_in_whatever_case_and_behind_whatever_stands_before_it() {
        for page in [
            "<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>",
            "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">",
            "\u{feff}\r\n  <!doctype html>",
            "<HTML><BODY>Welcome</BODY></HTML>",
            "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\">",
            "<!-- portal --><html>",
            "<script>location='http://login.example'</script>",
        ] {
            assert!(is_page(page.as_bytes()), "{page}");
        }
    }

    #[test]
    fn what_a_program_answers_is_no_page() {
        for answer in [
            "",
            "ok",
            "OK <html>",
            "{\"ok\":true}",
            "out of order sample",
            "<",
            "<?xml version=\"1.0\"?><Response/>",
            "<?xml",
            "\0\u{7f}",
        ] {
            assert!(!is_page(answer.as_bytes()), "{answer}");
        }
    }
}

//! The records of a file of JSON, one at a time: one object a line, a list, or an object around a
//! list, as programs export them. What is held is never more than the largest record may be.

use crate::fault::{Fault, parse_object};
use serde_json::{Map, Value};
use std::io::{self, BufRead};

/// Bytes of the largest record: a conversation of years is some hundred kilobytes.
const MOST_BYTES: usize = 64 << 20;

/// Names of the lists that records stand in.
const LISTS: [&str; 6] = ["tickets", "conversations", "payload", "results", "items", "data"];

/// Names that records have and objects around a list of records have not.
const OF_RECORDS: [&str; 8] = [
    "id",
    "messages",
    "comments",
    "audits",
    "conversation_parts",
    "requester_id",
    "requester",
    "expect",
];

/// Reads records.
pub(super) struct Records<R> {
    from: Held<R>,
    line: usize,
    /// How many brackets are open around the records.
    depth: usize,
    /// How many are open within the list of records, while it is.
    list: Option<usize>,
    /// How many were open around the last such list, and what was read since beside records.
    last_list: usize,
    beside: Vec<u8>,
    began: bool,
}

/// What stands at a place of a file.
pub(super) struct Record {
    /// Number of its first line, from 1.
    pub(super) line: usize,
    pub(super) fields: Result<Map<String, Value>, Fault>,
}

/// What is to be read, with what was read ahead before it.
struct Held<R> {
    held: Vec<u8>,
    at: usize,
    from: R,
}

/// A list in an object that may hold the records.
struct List {
    /// Bytes of the object before what stands in the list.
    from: usize,
    line: usize,
    depth: usize,
}

/// Where the reading of one value stands.
#[derive(Default)]
struct Reading {
    bytes: Vec<u8>,
    depth: usize,
    in_text: bool,
    escaped: bool,
    is_long: bool,
    /// The last text that was read, and whether it is a name: a colon came behind it.
    text_from: usize,
    name: Option<String>,
    /// The first list that may hold the records, as long as the value may be an object around one.
    list: Option<List>,
    /// Whether it has a name that records have.
    is_record: bool,
}

impl<R: BufRead> Held<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.held.get(self.at..) {
            Some(rest) if !rest.is_empty() => Ok(rest),
            _ => self.from.fill_buf(),
        }
    }

    fn consume(&mut self, n: usize) {
        if self.at < self.held.len() {
            self.at += n;
        } else {
            self.from.consume(n);
        }
    }

    /// Has what was read before be read again, before all else.
    fn put_back(&mut self, mut bytes: Vec<u8>) {
        bytes.extend(self.held.drain(..).skip(self.at));
        (self.held, self.at) = (bytes, 0);
    }
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(from: R) -> Self {
        let from = Held { held: Vec::new(), at: 0, from };
        let beside = Vec::new();
        Self { from, line: 1, depth: 0, list: None, last_list: 0, beside, began: false }
    }

    /// Reads the next record; None: there is none.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        if !self.began {
            self.began = true;
            let start = self.from.fill_buf()?;
            if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
                self.skip_all()?;
                let fault = Fault::whole("is UTF-16", "save the file as UTF-8");
                return Ok(Some(Record { line: 1, fields: Err(fault) }));
            }
            if start.starts_with("\u{FEFF}".as_bytes()) {
                self.from.consume(3);
            }
        }
        loop {
            let Some(byte) = self.peek()? else { return Ok(None) };
            match byte {
                b'{' if self.depth == 0 || self.list == Some(self.depth) => {
                    let line = self.line;
                    if let Some(fields) = self.object()? {
                        return Ok(Some(Record { line, fields }));
                    }
                }
                b'{' | b'[' => {
                    // An object can hold several lists of records, side by side.
                    let is_another =
                        byte == b'[' && self.depth == self.last_list && self.names_a_list();
                    if self.depth == 0 || (self.list.is_none() && is_another) {
                        self.list = Some(self.depth + 1);
                    }
                    self.depth += 1;
                    self.bump();
                }
                b']' | b'}' => {
                    self.list = self.list.filter(|list| *list < self.depth);
                    self.depth = self.depth.saturating_sub(1);
                    self.bump();
                }
                _ if byte.is_ascii_whitespace() || byte == b',' => self.bump(),
                // Around a list stand names and values that are no records.
                _ if self.depth > 0 => self.skip_value()?,
                _ => {
                    let line = self.line;
                    self.skip_line()?;
                    let fault = Fault::whole("is not JSON", "write one JSON object on one line");
                    return Ok(Some(Record { line, fields: Err(fault) }));
                }
            }
        }
    }

    /// Reads an object; None: it stands around a list of records, whose first comes next.
    fn object(&mut self) -> io::Result<Option<Result<Map<String, Value>, Fault>>> {
        let mut value = Reading::default();
        let mut after_line = false;
        loop {
            let Some(byte) = self.peek()? else {
                if self.goes_into_list(&mut value) {
                    return Ok(None);
                }
                let mend = "export it again, whole";
                return Ok(Some(Err(Fault::whole("ends in the middle of a record", mend))));
            };
            // An object that begins on a new line, within a text or where no list is open around
            // it, is the next record: this one was never closed.
            let is_next = after_line && byte == b'{' && self.depth == 0;
            if is_next || (byte == b'\n' && value.in_text) || value.is_long {
                // Records stand at the beginning of lines in the list of an object around them.
                if self.goes_into_list(&mut value) {
                    return Ok(None);
                }
            }
            if is_next || (byte == b'\n' && value.in_text) {
                let mend = "write one JSON object on one line";
                return Ok(Some(Err(Fault::whole("is never closed", mend))));
            }
            after_line = byte == b'\n';
            let is_list = byte == b'[' && self.begins_a_list(&value);
            value.take(byte);
            self.bump();
            if is_list {
                let (from, depth) = (value.bytes.len(), value.depth);
                value.list = Some(List { from, line: self.line, depth });
            }
            if value.depth == 0 {
                break;
            }
        }
        if self.goes_into_list(&mut value) {
            return Ok(None);
        }
        if value.is_long {
            let what = format!("is larger than {} MiB", MOST_BYTES >> 20);
            return Ok(Some(Err(Fault::whole(what, "leave the files out of it"))));
        }
        Ok(Some(parse_object(&value.bytes)))
    }

    /// Whether the records stand in the list that comes next: an object around the list of records
    /// is at the top of the file, and at most one other is around it.
    fn begins_a_list(&self, value: &Reading) -> bool {
        let is_known = value.name.as_deref().is_some_and(|name| LISTS.contains(&name));
        let is_open = value.list.is_none() && !value.is_record && !value.is_long;
        self.depth == 0 && is_open && !value.in_text && value.depth <= 2 && is_known
    }

    /// Goes back to the list in an object that has no name of a record's; whether it has one.
    fn goes_into_list(&mut self, value: &mut Reading) -> bool {
        let Some(List { from, line, depth }) = value.list.take() else { return false };
        let inside = value.bytes.get(from..).unwrap_or_default().trim_ascii_start();
        if value.is_record || !matches!(inside.first(), None | Some(b'{' | b']')) {
            return false;
        }
        (self.line, self.depth, self.list) = (line, depth, Some(depth));
        self.last_list = depth.saturating_sub(1);
        self.from.put_back(value.bytes.split_off(from));
        true
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.from.fill_buf()?.first().copied())
    }

    fn bump(&mut self) {
        let is_line = self.from.fill_buf().ok().and_then(|bytes| bytes.first()) == Some(&b'\n');
        self.line += usize::from(is_line);
        self.from.consume(1);
    }

    /// Whether what was read last beside records names a list of them.
    fn names_a_list(&self) -> bool {
        let name = str::from_utf8(&self.beside).ok().and_then(|text| text.trim().strip_suffix(':'));
        let name = name.map(|name| name.trim().trim_matches('"'));
        name.is_some_and(|name| LISTS.contains(&name))
    }

    /// Reads over what stands beside records: up to a comma or a bracket.
    fn skip_value(&mut self) -> io::Result<()> {
        self.beside.clear();
        let (mut in_text, mut escaped) = (false, false);
        while let Some(byte) = self.peek()? {
            if !in_text && matches!(byte, b',' | b'[' | b']' | b'{' | b'}' | b'\n') {
                break;
            }
            in_text ^= byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            if self.beside.len() < 64 {
                self.beside.push(byte);
            }
            self.bump();
        }
        Ok(())
    }

    fn skip_line(&mut self) -> io::Result<()> {
        while let Some(byte) = self.peek()? {
            self.bump();
            if byte == b'\n' {
                break;
            }
        }
        Ok(())
    }

    fn skip_all(&mut self) -> io::Result<()> {
        loop {
            let n = self.from.fill_buf()?.len();
            if n == 0 {
                return Ok(());
            }
            self.from.consume(n);
        }
    }
}

impl Reading {
    fn take(&mut self, byte: u8) {
        if self.bytes.len() < MOST_BYTES {
            self.bytes.push(byte);
        }
        // The byte that fills it is the last that is held: a list is gone back to before another.
        self.is_long |= self.bytes.len() == MOST_BYTES;
        if self.in_text {
            if byte == b'"' && !self.escaped {
                self.in_text = false;
                let text = self.bytes.get(self.text_from..self.bytes.len() - 1);
                // A name is short; what is long is what somebody said.
                let text = text.filter(|text| text.len() < 32).unwrap_or_default();
                self.name = str::from_utf8(text).ok().map(str::to_string);
            }
            self.escaped = byte == b'\\' && !self.escaped;
            return;
        }
        match byte {
            b'"' => (self.in_text, self.text_from) = (true, self.bytes.len()),
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            b',' => self.name = None,
            b':' if self.depth == 1 => {
                let name = self.name.as_deref();
                self.is_record |= name.is_some_and(|name| OF_RECORDS.contains(&name));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids(text: &[u8]) -> Vec<String> {
        let mut records = Records::new(text);
        let mut ids = Vec::new();
        while let Some(record) = records.next().unwrap() {
            ids.push(match record.fields {
                Ok(fields) => format!("{}:{}", record.line, fields["id"]),
                Err(fault) => format!("{}!{}", record.line, fault.what),
            });
        }
        ids
    }

    #[test]
    fn records_are_found_however_they_are_kept() {
        let rows: [(&str, &[&str]); 15] = [
            ("{\"data\":[],\"n\":2,\"conversations\":[{\"id\":1},{\"id\":2}]}", &["1:1", "1:2"]),
            (
                "{\"tickets\":[{\"id\":1}],\n\"results\": [{\"id\":2}]}\n{\"id\":3}",
                &["1:1", "2:2", "3:3"],
            ),
            ("{\"tickets\":[{\"id\":1}],\"meta\":{\"data\":[{\"id\":2}]}}", &["1:1"]),
            ("{\"id\":1}\n\n{\"id\":2}\r\n", &["1:1", "3:2"]),
            ("\u{FEFF}[{\"id\":1},\n {\"id\":2}]", &["1:1", "2:2"]),
            ("{\"count\":2,\"tickets\":[{\"id\":1},{\"id\":2}],\"next\":\"x]\"}", &["1:1", "1:2"]),
            ("{\"data\":{\"meta\":{\"n\":1},\"payload\":[{\"id\":1}]}}", &["1:1"]),
            ("{\n  \"id\": 1,\n  \"said\": [\n    {\"x\": 1}\n  ]\n}\n{\"id\":2}", &["1:1", "7:2"]),
            ("{\"payload\":[{\"id\":1}],\"meta\":{\"n\":[{}]}}\n{\"id\":2}", &["1:1", "2:2"]),
            ("{\"id\":1,\"tickets\":3}", &["1:1"]),
            ("{\"tickets\":[\n{\"id\":1},\n{\"id\":2}\n],\n\"count\":2}\n", &["2:1", "3:2"]),
            ("{\"tickets\":[\n{\"id\":1},\n{\"id\"", &["2:1", "3!ends in the middle of a record"]),
            ("{\"data\":{\"x\":[]},\"items\":[{\"id\":1}]}{\"id\":2}", &["1:1", "1:2"]),
            ("{\"id\":1\n{\"id\":2}", &["1!is never closed", "2:2"]),
            (
                "{\"id\":1}\nnonsense\n{\"id\":\"a",
                &["1:1", "2!is not JSON", "3!ends in the middle of a record"],
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(ids(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_conversation_that_holds_a_list_of_its_own_stays_whole() {
        let rows = [
            r#"{"id":1,"comments":[{"body":"a"}],"custom":{"items_2":[1]}}"#,
            r#"{"id":1,"linked_objects":{"type":"list","data":[]},"conversation_parts":{}}"#,
            r#"{"linked_objects":{"data":[{"id":7}]},"data":[{"id":8}],"id":1}"#,
            r#"{"customer":{"items":["x"]},"messages":[],"id":1}"#,
            r#"{"custom":{"data":["a"]},"id":1,"requester_id":2}"#,
        ];
        for row in rows {
            assert_eq!(ids(row.as_bytes()), ["1:1"], "{row}");
            assert_eq!(ids(format!("{row}\n{row}\n").as_bytes()), ["1:1", "2:1"], "{row}");
            assert_eq!(ids(format!("[{row}]").as_bytes()), ["1:1"], "{row}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut records = Records::new(bytes.as_slice());
            for _ in 0..=bytes.len() {
                if records.next().unwrap().is_none() {
                    return Ok(());
                }
            }
            prop_assert!(false, "it never ends");
        }

        #[test]
        fn rubble_of_json_ends_too(pieces in proptest::collection::vec(
            prop::sample::select(vec!["{", "}", "[", "]", "\"", "\\", "\n", ",", ":", "1", "tickets"]), 0..60,
        )) {
            let text = pieces.concat();
            let mut records = Records::new(text.as_bytes());
            for _ in 0..=text.len() {
                if records.next().unwrap().is_none() {
                    return Ok(());
                }
            }
            prop_assert!(false, "it never ends");
        }
    }
}

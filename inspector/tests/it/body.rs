//! Bodies as they are shown.

use std::fmt::Write as _;

use bytes::Bytes;
use proptest::prelude::*;

use hookwire_capture::CapturedBody;
use hookwire_inspector::{
    Folds, Line, Rendered, Role,
    body::{self, Options, View},
    line,
};

use crate::fixture::HOSTILE;

fn captured(bytes: &[u8]) -> CapturedBody {
    CapturedBody { bytes: Bytes::copy_from_slice(bytes), length: bytes.len() as u64, sha256: None }
}

struct Face<'a> {
    content_type: &'a str,
    options: Options<'a>,
}

static OPEN: std::sync::LazyLock<Folds> = std::sync::LazyLock::new(Folds::default);

fn face(content_type: &str, width: usize) -> Face<'_> {
    Face { content_type, options: Options { width, folds: &OPEN, search: "", view: View::Fitting } }
}

impl Face<'_> {
    fn of(&self, body: &CapturedBody) -> Rendered {
        body::render(body, Some(self.content_type.as_bytes()), None, &self.options)
    }

    fn text(&self, body: &[u8]) -> String {
        text(&self.of(&captured(body)))
    }
}

fn all(rendered: &Rendered) -> Vec<Line> {
    rendered.lines(0..usize::MAX)
}

fn text(rendered: &Rendered) -> String {
    let mut text = String::new();
    for line in all(rendered) {
        writeln!(text, "{}", line::text(&line)).unwrap();
    }
    text
}

const PAYMENT: &[u8] = br#"{"entity":"event","amount":50000,"rate":1.50,"notes":{"url":"a\/b","none":{}},"list":[1,-2e3,null],"last":true}"#;

#[test]
fn json_keeps_order_and_spelling() {
    assert_eq!(
        face("application/json", 80).text(PAYMENT),
        r#"{
  "entity": "event",
  "amount": 50000,
  "rate": 1.50,
  "notes": {
    "url": "a\/b",
    "none": {}
  },
  "list": [
    1,
    -2e3,
    null
  ],
  "last": true
}
"#
    );
    let lines = all(&face("application/json", 80).of(&captured(PAYMENT)));
    let roles: Vec<_> = lines[3].iter().map(|span| (span.text(), span.role())).collect();
    assert_eq!(
        roles,
        [
            ("  ", Role::Plain),
            ("\"rate\"", Role::Key),
            (": ", Role::Punctuation),
            ("1.50", Role::Number),
            (",", Role::Punctuation)
        ]
    );
}

#[test]
fn containers_fold_by_their_place_whatever_else_is_folded() {
    let open = face("application/json", 80).of(&captured(PAYMENT));
    let list = open.node(9).unwrap();
    assert_eq!((list, open.node(8), open.node(12)), (open.node(10).unwrap(), Some(list), Some(list)));
    let notes = open.node(4).unwrap();
    assert_eq!(open.row_of(list), Some(8));

    let mut folds = Folds::default();
    folds.toggle(notes);
    folds.toggle(list);
    let mut face = face("application/json", 80);
    face.options.folds = &folds;
    let folded = face.of(&captured(PAYMENT));
    assert_eq!(
        text(&folded),
        r#"{
  "entity": "event",
  "amount": 50000,
  "rate": 1.50,
  "notes": { … 2 fields },
  "list": [ … 3 items ],
  "last": true
}
"#
    );
    assert_eq!((folded.node(5), folded.row_of(list)), (Some(list), Some(5)));

    // A search opens what it finds, and nothing else.
    face.options.search = "A\\/B";
    let searched = face.of(&captured(PAYMENT));
    assert_eq!(searched.matches(), [5]);
    assert_eq!(searched.line_count(), folded.line_count() + 3);
    let found: Vec<_> = all(&searched)[5].iter().filter(|span| span.role() == Role::Match).cloned().collect();
    assert_eq!(line::text(&found), "a\\/b");

    let all_closed = Folds::from_depth(0);
    face.options.search = "";
    face.options.folds = &all_closed;
    assert_eq!(text(&face.of(&captured(PAYMENT))), "{ … 6 fields }\n");
}

#[test]
fn where_json_stops_a_line_points_at_the_byte() {
    let face = face("application/json", 80);
    assert_eq!(
        face.text(b"{\"a\": 1, \"b\": tru, \"c\": [1, 2]}\n"),
        "{\n  \"a\": 1,\n  \"b\": \n▼ no JSON from byte 14 on: expected a value, found `t`\ntru, \"c\": [1, 2]}\n"
    );
    assert_eq!(face.text(b"{\"a\": 1"), "{\n  \"a\": 1\n▲ the JSON ends too early, at byte 7: expected `,` or `}`\n");
    assert_eq!(
        face.text(b"\x1f\x8b\x08\x00\x1b["),
        "▼ no JSON from byte 0 on: expected a value, found `\\x1f`\n\
         00000000  1f 8b 08 00 1b 5b                                 .....[\n"
    );
}

#[test]
fn a_cut_capture_is_said_with_the_true_length_and_is_no_error() {
    let cut = CapturedBody {
        bytes: Bytes::from_static("{\"a\": \"₹".as_bytes()),
        length: 5_000_000,
        sha256: Some([0xAB; 32]),
    };
    let cut = CapturedBody { bytes: cut.bytes.slice(..cut.bytes.len() - 1), ..cut };
    let shown = text(&face("application/json", 120).of(&cut));
    assert_eq!(
        shown,
        format!(
            "{{\n  \"a\": \ntruncated: the first 9 of 5,000,000 bytes were captured\nsha-256 of all of them: {}\n",
            "ab".repeat(32)
        )
    );
}

#[test]
fn forms_are_tables_and_json_within_them_is_unfolded() {
    assert_eq!(
        face("application/x-www-form-urlencoded", 60)
            .text(b"event=push&long_key=a+b%2Fc&payload=%7B%22ref%22%3A%5B1%5D%7D&flag"),
        "event    = push\nlong_key = a b/c\npayload =\n{\n  \"ref\": [\n    1\n  ]\n}\nflag\n"
    );
}

#[test]
fn parts_are_shown_by_their_own_types() {
    let body =
        b"--b\r\nContent-Disposition: form-data; name=\"json\"\r\nContent-Type: application/json\r\n\r\n{\"a\":[]}\r\n\
        --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\x1b.png\"\r\n\r\n\x89PNG\0\r\n--b--\r\n";
    assert_eq!(
        face("multipart/form-data; boundary=b", 100).text(body),
        "part 1  name json  8 bytes\n\
         Content-Disposition: form-data; name=\"json\"\n\
         Content-Type: application/json\n\
         {\n  \"a\": []\n}\n\n\
         part 2  name file  filename x\\x1b.png  5 bytes\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"x\\x1b.png\"\n\
         00000000  89 50 4e 47 00                                    .PNG.\n\n"
    );
    let unclosed = face("multipart/form-data; boundary=b", 100).text(b"--b\r\n\r\nx");
    assert!(unclosed.ends_with("the boundary that ends the last part is missing\n"), "{unclosed}");
    let none = face("multipart/form-data; boundary=zz", 100).text(b"--b\r\n\r\nx");
    assert!(none.starts_with("the boundary `zz` of its content-type is nowhere in it\n--b"), "{none}");
}

#[test]
fn xml_has_a_line_for_each_element() {
    assert_eq!(
        face("application/xml", 80)
            .text(b"<?xml version=\"1.0\"?><a x=\"1\"><b>text</b>\n\n<c/><!-- n --><d><e></e></d></a>"),
        "<?xml version=\"1.0\"?>\n<a x=\"1\">\n  <b>text</b>\n  <c/>\n  <!-- n -->\n  <d>\n    <e></e>\n  </d>\n</a>\n"
    );
    // Unbalanced tags are shown as they are.
    assert_eq!(face("text/xml", 80).text(b"</a></b><c"), "</a>\n</b>\n<c\n");
}

#[test]
fn text_and_bytes() {
    assert_eq!(face("text/plain", 80).text(b"a\r\n\tb\n\nc\x1b[2J"), "a\\r\n    b\n\nc\\x1b[2J\n");
    let bytes: Vec<u8> = (0xF8..=0xFF).chain(*b"hello, world").collect();
    assert_eq!(
        face("application/octet-stream", 80).text(&bytes),
        "00000000  f8 f9 fa fb fc fd fe ff  68 65 6c 6c 6f 2c 20 77  ........hello, w\n\
         00000010  6f 72 6c 64                                       orld\n"
    );
    assert_eq!(
        face("application/octet-stream", 45).text(&bytes[..10]),
        "00000000  f8 f9 fa fb fc fd fe ff  ........\n00000008  68 65                    he\n"
    );
    assert_eq!(face("", 80).text(b""), "no body\n");
    let mut raw = face("application/json", 80);
    raw.options.view = View::Text;
    assert_eq!(raw.text(b"{\"a\": 1}"), "{\"a\": 1}\n");
    raw.options.view = View::Hex;
    assert!(raw.text(b"{\"a\": 1}").starts_with("00000000  7b 22 61"));
}

#[test]
fn long_lines_break_at_spaces_and_hang() {
    let body = format!("{{\"description\":\"{}\",\"next\":1}}", "word ".repeat(12));
    assert_eq!(
        face("application/json", 40).text(body.as_bytes()),
        "{\n  \"description\": \"word word word word \n      word word word word word word \n      word word \",\n  \"next\": 1\n}\n"
    );
    assert_eq!(face("text/plain", 20).text("支付成功".repeat(3).as_bytes()), "支付成功支付成功支付\n成功\n");
}

#[test]
fn a_compressed_body_is_shown_by_its_type() {
    let brotli = captured(b"\x0b\x03\x80{\"a\":1}\x03");
    let options = Options { width: 80, folds: &OPEN, search: "", view: View::Fitting };
    let shown = body::render(&brotli, Some(b"application/json"), Some(b"br"), &options);
    assert_eq!(text(&shown), "br: 11 bytes as sent, 7 bytes as shown\n{\n  \"a\": 1\n}\n");
}

#[test]
fn a_megabyte_on_one_line_and_a_million_lines_are_built_where_they_are_looked_at() {
    let one_line = captured(format!("{{\"a\":\"{}\"}}", "x₹".repeat(260_000)).as_bytes());
    let rendered = face("application/json", 80).of(&one_line);
    assert!(rendered.line_count() > 6_000);
    let last = rendered.line_count() - 2;
    assert_eq!(line::text(&rendered.lines(last..last + 1)[0]).trim_start().chars().last(), Some('"'));

    let many = captured("1\n".repeat(1_000_000).as_bytes());
    let rendered = face("text/plain", 80).of(&many);
    assert_eq!(rendered.line_count(), 1_000_000);
    assert_eq!(line::text(&rendered.lines(999_999..2_000_000)[0]), "1");
}

#[test]
fn a_search_marks_what_is_seen_across_meanings_and_rows() {
    let mut face = face("application/json", 24);
    face.options.search = "AMOUNT\": 5";
    let rendered =
        face.of(&captured(b"{\"list\":[{\"amount\":50},{\"amount\":6}],\"x\":\"amount\\\": 5 amount\\\": 5\"}"));
    assert_eq!(rendered.matches(), [3]);
    let marked = |row: usize| {
        let line = rendered.lines(row..row + 1).remove(0);
        line::text(&line.into_iter().filter(|span| span.role() == Role::Match).collect::<Vec<_>>())
    };
    assert_eq!(marked(3), "amount\": 5");

    face.options.search = "z";
    let rendered = face.of(&captured(format!("\"{}z{}z\"", "x".repeat(30), "x".repeat(30)).as_bytes()));
    assert_eq!((rendered.line_count(), rendered.matches()), (3, vec![1, 2]));
    assert_eq!(Vec::<usize>::new(), face_without_search().of(&captured(b"zzz")).matches());
}

/// A mark that was parted from its letter became an escape, and the row wider than the screen.
#[test]
fn a_search_parts_no_mark_from_its_letter() {
    let body = "xxxxxxxxxxxxxxxxxx[\u{301}[\u{301}\u{302}yyyy".as_bytes();
    for search in ["[", "\u{301}", "[\u{301}", "\u{301}[", "\u{302}", "x[", "y"] {
        let mut face = face("text/plain", 20);
        let plain = face.text(body);
        face.options.search = search;
        let rendered = face.of(&captured(body));
        assert_eq!(text(&rendered), plain, "{search:?}");
        for line in all(&rendered) {
            assert!(line.iter().map(hookwire_inspector::Span::width).sum::<usize>() <= 20, "{search:?}: {line:?}");
        }
        assert!(!rendered.matches().is_empty(), "{search:?}");
    }
    // The letter is marked with what stands on it.
    let mut face = face("text/plain", 20);
    face.options.search = "\u{302}";
    let marked: Vec<_> =
        all(&face.of(&captured(body))).concat().into_iter().filter(|span| span.role() == Role::Match).collect();
    assert_eq!(marked.iter().map(hookwire_inspector::Span::text).collect::<Vec<_>>(), ["[\u{301}\u{302}"]);
}

fn face_without_search() -> Face<'static> {
    face("text/plain", 24)
}

#[test]
fn a_body_that_was_shed_says_so() {
    let shed = CapturedBody { bytes: Bytes::new(), length: 1_620, sha256: None };
    assert_eq!(text(&face("application/json", 80).of(&shed)), "the body was not captured: 1,620 bytes passed\n");
}

/// What no terminal may be sent: C0, DEL, C1, what turns the direction of writing, what can't be seen.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}' | '\u{ad}'
        )
}

/// Sequences that write to a clipboard, set a title, make links, ask the terminal, overwrite a line.
const ATTACKS: &[&[u8]] = &[
    HOSTILE,
    b"\x1b]52;c;ZXZpbA==\x07",
    b"\x1b]0;title\x07",
    b"\x1b]8;;http://evil\x1b\\",
    b"\x1bP+q544e\x1b\\",
    b"\x1b[6n",
    b"\x9b31m",
    b"good\rbad",
    "\u{202e}\u{2066}\u{200b}\u{feff}".as_bytes(),
    "支付e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}".as_bytes(),
    b"\xff\xfe\xc3",
    b"{\"a\":\"\x1b[2J",
    b"<a b=\"\x07\">",
    b"--b\r\nX\x1b: \x9b\r\n\r\n",
    b"k\x1b=v%1B%9B%E2%80%AE&",
];

const TYPES: &[&str] = &[
    "application/json",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "text/xml",
    "text/plain",
    "image/png",
    "",
];

fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(ATTACKS).prop_map(<[u8]>::to_vec),
        any::<Vec<u8>>(),
        any::<String>().prop_map(String::into_bytes),
        r#"[\[\]{},:"a1 \n&=<>/-]{0,20}"#.prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_comes_in_no_row_can_harm_a_terminal_or_leave_its_width(
        body in body(),
        content_type in proptest::sample::select(TYPES),
        width in 20..100_usize,
        search in "[a1\u{301}\\[]{0,2}",
        folded: bool,
        view in proptest::sample::select(&[View::Fitting, View::Text, View::Hex]),
    ) {
        let folds = if folded { Folds::from_depth(1) } else { Folds::default() };
        let options = Options { width, folds: &folds, search: &search, view };
        let rendered = body::render(&captured(&body), Some(content_type.as_bytes()), None, &options);
        for row in 0..rendered.line_count() {
            let line = &rendered.lines(row..row + 1)[0];
            let text = line::text(line);
            prop_assert!(!text.contains(is_harmful), "{:?}", text);
            let columns: usize = line.iter().map(hookwire_inspector::Span::width).sum();
            prop_assert!(columns <= width, "{} of {}: {:?}", columns, width, text);
            if let Some(node) = rendered.node(row) {
                prop_assert!(rendered.row_of(node).is_some_and(|open| open <= row));
            }
        }
    }
}

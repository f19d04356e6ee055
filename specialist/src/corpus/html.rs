//! `.html`: headings make sections; paragraphs, lists and tables keep their order. What surrounds a
//! page's content is left out.

use ego_tree::{NodeRef, Tree, iter::Edge};

use super::{
    Draft, Fault,
    dom::{self, DEPTH_MAX, Node},
    plain::stem,
    sections::{Document, Section, drafts},
    writer::{Gap, Writer},
};

/// Elements whose content is not the page's own text.
const LEFT_OUT: [&str; 17] = [
    "aside", "audio", "button", "canvas", "footer", "form", "head", "header", "iframe", "nav", "noscript",
    "object", "script", "style", "svg", "template", "video",
];

/// Elements that run along with the words around them; all others begin and end a paragraph.
const INLINE: [&str; 31] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "ins",
    "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u",
    "var", "wbr",
];

/// The passages of a page: titled by its `<title>`, or else its first `<h1>` or its file's name.
pub(super) fn read(name: &str, text: &str) -> Result<Vec<Draft>, Fault> {
    let too_deep = || format!("has more than {DEPTH_MAX} elements inside of one another");
    let page = dom::parse(text).ok_or_else(|| Fault { line: 0, problem: too_deep() })?;
    let titles =
        ["title", "h1"].into_iter().filter_map(|name| words(first(&page, |node| node.name() == Some(name))?));
    let canonical = first(&page, |node| {
        let kinds = node.attribute("rel").unwrap_or_default().split_whitespace();
        node.name() == Some("link") && kinds.into_iter().any(|kind| kind.eq_ignore_ascii_case("canonical"))
    });
    let url = canonical.and_then(|link| link.value().attribute("href")).map(str::trim);
    let http = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
    let document = Document {
        name,
        title: titles.into_iter().next().unwrap_or_else(|| stem(name)),
        url: url.filter(http).unwrap_or_default().to_owned(),
    };
    let content = first(&page, |node| node.name() == Some("main")).unwrap_or(page.root());
    Ok(drafts(&document, &sections(content)))
}

fn first(page: &Tree<Node>, is: impl Fn(&Node) -> bool) -> Option<NodeRef<'_, Node>> {
    page.root().descendants().find(|node| is(node.value()))
}

/// The words inside of `node`, if there are any.
fn words(node: NodeRef<Node>) -> Option<String> {
    let texts = node.descendants().filter_map(|node| match node.value() {
        Node::Text(text) => Some(text.as_str()),
        Node::Element { .. } | Node::Other => None,
    });
    let words = texts.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

fn sections(content: NodeRef<Node>) -> Vec<Section> {
    let mut page = Page { writer: Writer::new(), lists: 0, cells: 0, preformatted: 0 };
    let mut left_out = 0_usize;
    for edge in content.traverse() {
        let (node, opens) = match &edge {
            Edge::Open(node) => (node.value(), true),
            Edge::Close(node) => (node.value(), false),
        };
        match (node, node.name()) {
            (node, Some(name)) if LEFT_OUT.contains(&name) || node.attribute("hidden").is_some() => {
                step(&mut left_out, opens);
                page.writer.gap(Gap::Space);
            }
            (_, Some(name)) if left_out == 0 => page.element(name, opens),
            (Node::Text(text), _) if left_out == 0 && opens => page.text(text),
            _ => {}
        }
    }
    page.writer.sections()
}

/// Follows the elements of a page.
#[derive(Debug)]
struct Page {
    writer: Writer,
    lists: usize,
    cells: usize,
    preformatted: usize,
}

impl Page {
    fn element(&mut self, name: &str, opens: bool) {
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" if opens => {
                self.writer.begin_heading(name[1..].parse().unwrap_or(1));
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.writer.end_heading(),
            "br" | "tr" | "thead" | "tbody" | "tfoot" | "dd" | "dt" => self.writer.gap(Gap::Line),
            "td" | "th" => {
                step(&mut self.cells, opens);
                self.writer.gap(Gap::Cell);
            }
            "li" => {
                self.writer.gap(Gap::Line);
                if opens {
                    self.writer.begin_item(self.lists.saturating_sub(1));
                } else {
                    self.writer.end_item();
                }
            }
            "ul" | "ol" => {
                self.writer.gap(if self.lists > usize::from(!opens) { Gap::Line } else { Gap::Paragraph });
                step(&mut self.lists, opens);
            }
            inline if INLINE.contains(&inline) => {}
            _ => {
                if name == "pre" {
                    step(&mut self.preformatted, opens);
                }
                self.writer.gap(match (self.cells, self.lists) {
                    (0, 0) => Gap::Paragraph,
                    (0, _) => Gap::Line,
                    _ => Gap::Space,
                });
            }
        }
    }

    fn text(&mut self, text: &str) {
        if self.preformatted == 0 {
            return self.writer.text(text);
        }
        for (at, line) in text.split('\n').enumerate() {
            self.writer.gap(if at > 0 { Gap::Line } else { Gap::None });
            if !line.trim().is_empty() {
                self.writer.word(line.trim_end());
            }
        }
    }
}

/// Goes one deeper, or comes back.
fn step(depth: &mut usize, opens: bool) {
    *depth = if opens { *depth + 1 } else { depth.saturating_sub(1) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each passage as (id after `#`, section, text).
    #[track_caller]
    fn reads(html: &str, expected: &[(&str, &str, &str)]) -> Vec<Draft> {
        let drafts = read("a/fever-guide.html", html).unwrap();
        let seen: Vec<_> = drafts
            .iter()
            .map(|d| (d.id.trim_start_matches("a/fever-guide.html#"), d.section.as_str(), d.text.as_str()))
            .collect();
        assert_eq!(seen, expected);
        drafts
    }

    #[test]
    fn headings_make_sections_and_the_frame_is_left_out() {
        let html = "<!doctype html><html><head><title> Fever\n guide </title><style>p{}</style>\
            <link rel='canonical' href='https://example.org/fever'></head><body><header>Menu</header>\
            <nav>Home</nav><h1>Fever guide</h1><p>Keep <b>calm</b>.</p><h2>Treatment</h2><h3>Dose</h3>\
            <p>By weight.</p><script>alert(1)</script><p hidden>Not yet.</p><h2>Help</h2>Call us.\
            <footer>Imprint</footer></body></html>";
        let drafts = reads(
            html,
            &[
                ("fever-guide", "", "Keep calm."),
                ("dose", "Treatment > Dose", "By weight."),
                ("help", "Help", "Call us."),
            ],
        );
        assert!(drafts.iter().all(|d| d.title == "Fever guide" && d.url == "https://example.org/fever"));
    }

    #[test]
    fn lists_tables_and_code_keep_their_lines() {
        let html = "<p>Signs:</p><ul><li>fever<li><p>pain</p><ul><li>at night</li></ul></li></ul>\
            <table><thead><tr><th>Age</th><th>Dose</th></tr></thead>\
            <tr><td><p>1</p></td><td>5 ml</td></tr></table><pre>a\n  b</pre>";
        let text = "Signs:\n\n- fever\n- pain\n  - at night\n\nAge | Dose\n1 | 5 ml\n\na\n  b";
        reads(html, &[("fever-guide", "", text)]);
    }

    #[test]
    fn only_the_main_part_is_read_where_a_page_names_one() {
        reads("<h1>Guide</h1><div>Banner</div><main><p>One.</p></main>", &[("guide", "", "One.")]);
        let draft = read("a.htm", "<link rel=canonical href='javascript:x'><p>One.").unwrap().remove(0);
        assert_eq!((draft.title.as_str(), draft.url.as_str()), ("a", ""));
    }

    #[test]
    fn what_is_broken_is_read_as_browsers_do() {
        reads(
            "<p>One.<div>Two &amp; three.</p></b><td>Four",
            &[("fever-guide", "", "One.\n\nTwo & three.\n\nFour")],
        );
        reads("", &[]);
        let deep = |depth: usize| format!("{}deep{}", "<div>".repeat(depth), "</div>".repeat(depth));
        reads(&deep(1_000), &[("fever-guide", "", "deep")]);
        let problem = read("a.html", &deep(1_000_000)).unwrap_err().problem;
        assert_eq!(problem, "has more than 2000 elements inside of one another");
    }
}

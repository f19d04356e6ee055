//! The tree of a page, as html5ever builds it.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    rc::Rc,
};

use ego_tree::{NodeId, NodeMut, Tree};
use html5ever::{
    Attribute, ParseOpts, QualName, parse_document,
    tendril::{StrTendril, TendrilSink as _},
    tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
};

/// The most elements that may lie inside of one another: the parser looks through all of them at each new one.
pub(super) const DEPTH_MAX: usize = 2_000;

/// So much is parsed between two looks at how deep it went.
const CHUNK_BYTES: usize = 8 << 10;

/// What stands at one place of a page.
#[derive(Debug)]
pub(super) enum Node {
    /// `depth` counts the elements that it lay in when it was read.
    Element {
        name: Rc<QualName>,
        attributes: Vec<Attribute>,
        depth: usize,
    },
    Text(String),
    /// Comments, doctypes and the page itself.
    Other,
}

impl Node {
    /// The name of an element.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Element { name, .. } => Some(&name.local),
            Self::Text(_) | Self::Other => None,
        }
    }

    /// The attribute of this name of an element.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let Self::Element { attributes, .. } = self else { return None };
        attributes.iter().find(|attribute| &*attribute.name.local == name).map(|found| &*found.value)
    }
}

/// The page that `text` is, read as browsers do: any text is one, unless it is deeper than [`DEPTH_MAX`].
pub(super) fn parse(text: &str) -> Option<Tree<Node>> {
    let deepest = Rc::new(Cell::new(0));
    let sink = Sink { tree: RefCell::new(Tree::new(Node::Other)), deepest: deepest.clone() };
    let mut parser = parse_document(sink, ParseOpts::default());
    let mut rest = text;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.floor_char_boundary(CHUNK_BYTES));
        parser.process(StrTendril::from_slice(chunk));
        if deepest.get() > DEPTH_MAX {
            return None;
        }
        rest = after;
    }
    Some(parser.finish())
}

/// Builds the tree as the parser says. All handles are its own, so each of them is found.
struct Sink {
    tree: RefCell<Tree<Node>>,
    deepest: Rc<Cell<usize>>,
}

/// A node, with its name where it is an element.
#[derive(Clone)]
struct Handle {
    id: NodeId,
    name: Rc<QualName>,
}

impl Sink {
    fn orphan(&self, node: Node) -> Handle {
        let name = match &node {
            Node::Element { name, .. } => name.clone(),
            Node::Text(_) | Node::Other => no_name(),
        };
        Handle { id: self.tree.borrow_mut().orphan(node).id(), name }
    }

    /// Puts `new` in front of `sibling`, or behind all children of `parent`.
    fn put(&self, parent: NodeId, sibling: Option<NodeId>, new: NodeOrText<Handle>) {
        let mut tree = self.tree.borrow_mut();
        let before = match sibling {
            Some(sibling) => tree.get(sibling).and_then(|sibling| sibling.prev_sibling()),
            None => tree.get(parent).and_then(|parent| parent.last_child()),
        };
        let before = before.map(|node| node.id());
        let id = match new {
            NodeOrText::AppendNode(node) => {
                let above = match tree.get(parent).map(|parent| parent.value()) {
                    Some(Node::Element { depth, .. }) => *depth,
                    _ => 0,
                };
                self.deepest.set(self.deepest.get().max(above + 1));
                if let Some(Node::Element { depth, .. }) = tree.get_mut(node.id).as_mut().map(NodeMut::value)
                {
                    *depth = above + 1;
                }
                node.id
            }
            NodeOrText::AppendText(text) => {
                // Text beside text is one text.
                let mut before = before.and_then(|before| tree.get_mut(before));
                if let Some(Node::Text(before)) = before.as_mut().map(NodeMut::value) {
                    before.push_str(&text);
                    return;
                }
                tree.orphan(Node::Text(text.to_string())).id()
            }
        };
        match sibling.and_then(|sibling| tree.get_mut(sibling)) {
            Some(mut sibling) => drop(sibling.insert_id_before(id)),
            None => {
                if let Some(mut parent) = tree.get_mut(parent) {
                    parent.append_id(id);
                }
            }
        }
    }

    fn parent(&self, node: &Handle) -> Option<NodeId> {
        self.tree.borrow().get(node.id).and_then(|node| node.parent()).map(|parent| parent.id())
    }
}

fn no_name() -> Rc<QualName> {
    Rc::new(QualName::new(None, html5ever::ns!(), html5ever::local_name!("")))
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Tree<Node>;
    type ElemName<'a> = &'a QualName;

    fn finish(self) -> Tree<Node> {
        self.tree.into_inner()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle { id: self.tree.borrow().root().id(), name: no_name() }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> &'a QualName {
        &target.name
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> Handle {
        self.orphan(Node::Element { name: Rc::new(name), attributes, depth: 0 })
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        self.orphan(Node::Other)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        self.orphan(Node::Other)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.put(parent.id, None, child);
    }

    fn append_based_on_parent_node(&self, element: &Handle, before: &Handle, child: NodeOrText<Handle>) {
        match self.parent(element) {
            Some(parent) => self.put(parent, Some(element.id), child),
            None => self.append(before, child),
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Handle) -> Handle {
        // Templates are left out, so their content may stand inside of them.
        target.clone()
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        one.id == other.id
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, new: NodeOrText<Handle>) {
        if let Some(parent) = self.parent(sibling) {
            self.put(parent, Some(sibling.id), new);
        }
    }

    fn add_attrs_if_missing(&self, target: &Handle, new: Vec<Attribute>) {
        let mut tree = self.tree.borrow_mut();
        let mut node = tree.get_mut(target.id);
        if let Some(Node::Element { attributes, .. }) = node.as_mut().map(NodeMut::value) {
            for attribute in new {
                if attributes.iter().all(|known| known.name != attribute.name) {
                    attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        if let Some(mut node) = self.tree.borrow_mut().get_mut(target.id) {
            node.detach();
        }
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        if let Some(mut parent) = self.tree.borrow_mut().get_mut(new_parent.id) {
            parent.reparent_from_id_append(node.id);
        }
    }
}

//! What routing is judged by, as functions of what became of each question. They know nothing of where
//! that comes from, so that ours and other people's routers are judged by the same ones.

pub(crate) mod detection;
pub(crate) mod domains;
pub(crate) mod judged;
pub(crate) mod selective;

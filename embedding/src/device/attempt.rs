//! Trying what may panic.

use std::{
    any::Any,
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Arc,
    thread,
};

/// What `work` returns, or why it failed, in words. Where it panics, on this thread, nobody is told but
/// the caller; other threads' panics are reported as ever.
pub(super) fn quietly<T, E: Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    let (usual, here) = (Arc::new(take_hook()), thread::current().id());
    let others = usual.clone();
    set_hook(Box::new(move |panic| {
        if thread::current().id() != here {
            others(panic);
        }
    }));
    let done = catch_unwind(AssertUnwindSafe(work));
    drop(take_hook());
    if let Some(usual) = Arc::into_inner(usual) {
        set_hook(usual);
    }
    match done {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(panic) => Err(message(panic.as_ref())),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}

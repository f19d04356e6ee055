//! Where files of the BERT family keep their tensors, which is not the same in all of them.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

/// Where the embeddings and layers are: some files hold the network of a larger model, of which it is a
/// part.
pub(crate) fn root<'a>(tensors: &VarBuilder<'a>) -> VarBuilder<'a> {
    let inside = tensors.contains_tensor("bert.embeddings.word_embeddings.weight");
    if inside { tensors.pp("bert") } else { tensors.clone() }
}

/// Weight and bias of a layer norm of `width` numbers. Files from older tools have names of their own.
pub(crate) fn norm(tensors: &VarBuilder, width: usize) -> Result<[Tensor; 2]> {
    let load = |name, old| tensors.get(width, if tensors.contains_tensor(old) { old } else { name });
    Ok([load("weight", "gamma")?, load("bias", "beta")?])
}

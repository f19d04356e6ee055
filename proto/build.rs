//! Compiles the schema with protox, so that no machine needs a `protoc`.

use std::{env, error::Error, fs, path::PathBuf};

const FILES: [&str; 5] = [
    "consilium/v1/card.proto",
    "consilium/v1/specialist.proto",
    "consilium/v1/registry.proto",
    "consilium/v1/router.proto",
    "consilium/v1/receipt.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    for file in FILES {
        println!("cargo::rerun-if-changed={file}");
    }
    let descriptors = protox::Compiler::new(["."])?
        .include_source_info(true)
        .include_imports(true)
        .open_files(FILES)?
        .file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // Served by reflection, where comments would only cost bytes.
    let mut bare = descriptors.clone();
    for file in &mut bare.file {
        file.source_code_info = None;
    }
    fs::write(out.join("consilium.bin"), prost::Message::encode_to_vec(&bare))?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}

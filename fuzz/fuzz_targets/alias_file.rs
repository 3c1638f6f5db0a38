//! Any bytes as an alias file of the AWS CLI: no panic, and what is installed can be taken out
//! again to the byte. It compiles the command's own module, because the command is no library.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/imds-cli/src/commands/aws_cli/alias.rs"]
mod alias;

fuzz_target!(|bytes: &[u8]| {
    let _ = alias::status(bytes).map_err(|error| error.to_string());
    let Ok(bare) = alias::uninstall(bytes) else { return };
    assert_eq!(alias::uninstall(&bare).as_ref(), Ok(&bare), "nothing of ours is left");
    let Ok(installed) = alias::install(bytes, "imds aws-cli run") else { return };
    let status = alias::Status::Installed { command: "imds aws-cli run".to_owned() };
    assert_eq!(alias::status(&installed), Ok(status));
    assert_eq!(alias::install(&installed, "imds aws-cli run").as_ref(), Ok(&installed));
    assert_eq!(alias::uninstall(&installed), Ok(bare));
});

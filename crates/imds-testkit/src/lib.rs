//! Test tools shared by the crates of this workspace.

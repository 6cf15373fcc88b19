//! Key logs and private keys.
#![cfg_attr(fuzzing, no_main)]

wspect_fuzz::target!(wspect_fuzz::keys::check);

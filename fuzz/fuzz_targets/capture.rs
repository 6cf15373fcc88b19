//! A capture, from its bytes to records of all kinds and to the browser's index.
#![cfg_attr(fuzzing, no_main)]

wspect_fuzz::target!(wspect_fuzz::capture::check);

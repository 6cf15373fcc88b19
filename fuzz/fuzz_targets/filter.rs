//! Display filters, read and asked of a capture.
#![cfg_attr(fuzzing, no_main)]

wspect_fuzz::target!(wspect_fuzz::filter::check);

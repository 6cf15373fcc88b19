//! Schemas of Protocol Buffers, as text or as a descriptor set, and messages of their types.
#![cfg_attr(fuzzing, no_main)]

wspect_fuzz::target!(wspect_fuzz::schema::check);

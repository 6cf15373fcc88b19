//! What is said in a connection, to a decoder: the first byte chooses it, or `DECODER=mqtt` does.
#![cfg_attr(fuzzing, no_main)]

wspect_fuzz::target!(wspect_fuzz::decoders::check);

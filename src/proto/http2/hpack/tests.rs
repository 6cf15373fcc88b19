use super::*;

/// What a decoder reads: `name: value`, and faults.
pub(super) fn read(decoder: &mut Decoder, pieces: &[&[u8]]) -> Vec<String> {
    let mut out = Vec::new();
    let mut take = |read: Read<'_>| {
        out.push(match read {
            Read::Field(Field::Known(name, value)) => {
                format!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
            }
            Read::Field(Field::Lost(index, value)) => {
                format!("?{index}: {}", String::from_utf8_lossy(value.unwrap_or(b"?")))
            }
            Read::Field(Field::Long) => "long".to_owned(),
            Read::Fault(fault) => format!("{fault:?}"),
        });
    };
    for piece in pieces {
        decoder.push(piece, TABLE_DEFAULT, &mut take);
    }
    decoder.end(&mut take);
    out
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    digits.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// A row of vectors: the sizes that the tables may have, and blocks with what they say.
type Vectors = (u64, &'static [(&'static str, &'static [&'static str])]);

/// RFC 7541 Appendix C.3 to C.6.
const VECTORS: [Vectors; 4] = [
    (
        4096,
        &[
            (
                "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                &[":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
            ),
            (
                "8286 84be 5808 6e6f 2d63 6163 6865",
                &[
                    ":method: GET",
                    ":scheme: http",
                    ":path: /",
                    ":authority: www.example.com",
                    "cache-control: no-cache",
                ],
            ),
            (
                "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
                &[
                    ":method: GET",
                    ":scheme: https",
                    ":path: /index.html",
                    ":authority: www.example.com",
                    "custom-key: custom-value",
                ],
            ),
        ],
    ),
    (
        4096,
        &[
            (
                "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
                &[":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
            ),
            (
                "8286 84be 5886 a8eb 1064 9cbf",
                &[
                    ":method: GET",
                    ":scheme: http",
                    ":path: /",
                    ":authority: www.example.com",
                    "cache-control: no-cache",
                ],
            ),
            (
                "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
                &[
                    ":method: GET",
                    ":scheme: https",
                    ":path: /index.html",
                    ":authority: www.example.com",
                    "custom-key: custom-value",
                ],
            ),
        ],
    ),
    (
        256,
        &[
            (
                "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
                 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70
                 6c65 2e63 6f6d",
                &[
                    ":status: 302",
                    "cache-control: private",
                    "date: Mon, 21 Oct 2013 20:13:21 GMT",
                    "location: https://www.example.com",
                ],
            ),
            (
                "4803 3330 37c1 c0bf",
                &[
                    ":status: 307",
                    "cache-control: private",
                    "date: Mon, 21 Oct 2013 20:13:21 GMT",
                    "location: https://www.example.com",
                ],
            ),
            (
                "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d
                 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049
                 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e
                 3d31",
                &[
                    ":status: 200",
                    "cache-control: private",
                    "date: Mon, 21 Oct 2013 20:13:22 GMT",
                    "location: https://www.example.com",
                    "content-encoding: gzip",
                    "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
                ],
            ),
        ],
    ),
    (
        256,
        &[
            (
                "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
                 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                &[
                    ":status: 302",
                    "cache-control: private",
                    "date: Mon, 21 Oct 2013 20:13:21 GMT",
                    "location: https://www.example.com",
                ],
            ),
            (
                "4883 640e ffc1 c0bf",
                &[
                    ":status: 307",
                    "cache-control: private",
                    "date: Mon, 21 Oct 2013 20:13:21 GMT",
                    "location: https://www.example.com",
                ],
            ),
            (
                "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab
                 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f
                 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
                &[
                    ":status: 200",
                    "cache-control: private",
                    "date: Mon, 21 Oct 2013 20:13:22 GMT",
                    "location: https://www.example.com",
                    "content-encoding: gzip",
                    "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
                ],
            ),
        ],
    ),
];

#[test]
fn blocks_of_rfc_7541() {
    for (size, blocks) in VECTORS {
        for cut in [1, 2, 7, usize::MAX] {
            let mut decoder = Decoder::new(1 << 16);
            decoder.table.resize(size);
            for (hex, fields) in blocks {
                let block = bytes(hex);
                let pieces: Vec<&[u8]> = block.chunks(cut).collect();
                assert_eq!(read(&mut decoder, &pieces), *fields, "in pieces of {cut}");
            }
        }
    }
}

/// RFC 7541 Appendix C.1 and C.2.
#[test]
fn integers_and_literals_of_rfc_7541() {
    let value = |bytes, prefix| integer(bytes, prefix).map(|(_, value)| value).ok();
    assert_eq!(value(&[0b0000_1010], 5), Some(10));
    assert_eq!(value(&[0b0001_1111, 0b1001_1010, 0b0000_1010], 5), Some(1337));
    assert_eq!(value(&[42], 8), Some(42));
    assert_eq!(value(&[0x1f, 0xff, 0xff, 0xff, 0xff, 0x0f], 5), None, "beyond 32 bits");
    assert_eq!(value(&[0x1f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], 5), None, "no end");
    let mut decoder = Decoder::new(1 << 16);
    let literal = bytes("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572");
    assert_eq!(read(&mut decoder, &[&literal, &[0xbe]]), ["custom-key: custom-header"; 2]);
    let others = bytes("040c 2f73 616d 706c 652f 7061 7468 1008 7061 7373 776f 7264 0673 6563 7265 74 82");
    assert_eq!(read(&mut decoder, &[&others]), [":path: /sample/path", "password: secret", ":method: GET"]);
}

#[test]
fn faults_are_told_and_the_table_goes_on() {
    let mut decoder = Decoder::new(1 << 16);
    // An index beyond the table, a literal with such a name, a bad Huffman string, then a good field.
    let block = bytes("ff00 7f00 0161 4101 62 00 82ffff 0163 82");
    let told = read(&mut decoder, &[&block]);
    assert_eq!(told, ["Index(127)", "Index(63)", ":authority: b", "Huffman", ": c", ":method: GET"]);
    // Integers without end: nothing more of that block, all of the next.
    assert_eq!(read(&mut decoder, &[&bytes("ffff ffff ffff ff82")]), ["Integer"]);
    assert_eq!(read(&mut decoder, &[&bytes("82be")]), [":method: GET", "?62: ?"]);
    assert_eq!(read(&mut decoder, &[&bytes("4003 6162")]), ["Cut"]);
    assert_eq!(
        read(&mut decoder, &[&bytes("82 20"), &bytes("3fe11f82")]),
        [":method: GET", "LateSize", "LateSize", ":method: GET"]
    );
    assert_eq!(read(&mut decoder, &[&bytes("3fe21f 82")]), ["Size(4097)", ":method: GET"]);
}

/// A value, or a name, of a megabyte is passed over; what follows is read, and the table is as its sender has it.
#[test]
fn long_strings_are_passed_over() {
    let length = bytes("7f81ff3f");
    for (begin, end) in [("4001 61", ""), ("41", ""), ("40", "0162")] {
        for cut in [1 << 20, 1000, 3] {
            let mut decoder = Decoder::new(1 << 16);
            let long = [&bytes(begin), &length, &[b'x'; 1 << 20][..], &bytes(end)].concat();
            let block = [&bytes("4001 6b01 76"), &long[..], &bytes("4001 6e01 6d be")].concat();
            let pieces: Vec<&[u8]> = block.chunks(cut).collect();
            assert_eq!(read(&mut decoder, &pieces), ["k: v", "long", "n: m", "n: m"], "{begin} in pieces of {cut}");
            assert_eq!(read(&mut decoder, &[&[0xbf]]), ["Index(63)"], "the long one emptied the table");
        }
    }
}

/// One entry with a long name makes many: they share it.
#[test]
fn short_references_do_not_make_much() {
    let mut decoder = Decoder::new(1 << 20);
    let mut take = |_: Read<'_>| {};
    decoder.table.resize(1 << 20);
    let name = [&[0x40, 0x7f, 0x81, 0x1f][..], &[b'n'; 4096], &[0]].concat();
    decoder.push(&name, 1 << 20, &mut take);
    for _ in 0..200 {
        decoder.push(&[0x7e, 1, b'v'], 1 << 20, &mut take);
    }
    decoder.end(&mut take);
    let first = decoder.table.name(62).unwrap();
    assert_eq!(first.len(), 4096);
    assert!(Name::ptr_eq(&first, &decoder.table.name(150).unwrap()));
}

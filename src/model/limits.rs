//! Every bound on what a hostile capture can make us keep, with its unit and default.

/// The bounds. Past one, the prefix is kept, the rest is counted, and a finding says so once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes to which a compressed capture may unpack.
    pub unpacked_bytes: u64,
    /// Captures that overlap in time and are read side by side; each takes a read buffer and a file handle.
    pub open_captures: usize,
    /// Fragments of one IP packet.
    pub fragment_pieces: usize,
    /// Bytes kept of the fragments of all packets.
    pub fragment_total: usize,
    /// Packets after its first fragment in which an IP packet must be complete.
    pub fragment_packets: u64,
    /// Nanoseconds of capture time after its first fragment in which an IP packet must be complete.
    pub fragment_nanos: i64,
    /// Kinds of tags and tunnels around packets that are told apart.
    pub encaps: u16,
    /// Bytes of out-of-order data queued for one direction of one TCP stream.
    pub reorder_bytes: usize,
    /// Segments queued for one direction of one TCP stream.
    pub reorder_segments: usize,
    /// Bytes of out-of-order data queued in all.
    pub reorder_total: usize,
    /// Delivered bytes kept of all streams, to compare retransmissions with.
    pub overlap_total: usize,
    /// Pieces of one direction that are looked through for those that a retransmission repeats.
    pub overlap_pieces: usize,
    /// Streams of the same ends in other tags or tunnels that are compared with one.
    pub twins: usize,
    /// Copies of one stream that are held.
    pub copies: usize,
    /// Copies of streams that are held.
    pub echoes: usize,
    /// Segments kept of a stream whose handshake was not seen, in case that its beginning comes late, and of one that repeats another
    /// in other tags or tunnels, in case that it is no copy.
    pub opening_segments: usize,
    /// Bytes kept of such a stream.
    pub opening_bytes: usize,
    /// Bytes kept of all such streams.
    pub opening_total: usize,
    /// Packets after an acknowledgement before a hole that it covers is final.
    pub gap_packets: u64,
    /// Nanoseconds of capture time after an acknowledgement before a hole that it covers is final.
    pub gap_nanos: i64,
    /// Later segments after which a hole is final when the other direction is not captured.
    pub one_sided_segments: usize,
    /// Nanoseconds after which a hole is final when the other direction is not captured.
    pub one_sided_nanos: i64,
    /// TCP streams that are kept in mind while nothing is read of them.
    pub streams: usize,
    /// Streams that may begin after one before it must have told what it carries.
    pub undecided_streams: usize,
    /// Streams of exported PDUs that have no sequence numbers.
    pub exported_streams: usize,
    /// Bytes of an HTTP head that are kept.
    pub head_bytes: usize,
    /// Headers of an HTTP head that are kept.
    pub head_headers: usize,
    /// Bytes in which an HTTP head must end.
    pub head_end: usize,
    /// Bytes of the table of header fields of one direction of an HTTP/2 connection.
    pub header_table: usize,
    /// Streams of one HTTP/2 connection that are open at once.
    pub h2_streams: usize,
    /// Bytes of handshakes over HTTP/2 that wait for their answers, and of what came with them, in all connections.
    pub h2_pending: usize,
    /// Bytes of a body that are read when it is an answer which tells of a session.
    pub answer_bytes: usize,
    /// Sessions whose ids are kept in mind, and as many places where clients may come back.
    pub sessions: usize,
    /// Bytes kept of the requests of all sessions; of more they are counted.
    pub session_bytes: usize,
    /// Bytes of a body that are read when it belongs to an answer that refuses an upgrade.
    pub refusal_bytes: usize,
    /// Bytes that a client may send before the answer to its upgrade request, or the server before the request; and those of one
    /// direction's TLS records that wait for the other's.
    pub early_bytes: usize,
    /// Bytes held of one direction in which frames, or TLS records, are looked for.
    pub seek_bytes: usize,
    /// Bytes held of all directions in which frames, or TLS records, are looked for.
    pub seek_total: usize,
    /// Bytes of a stream that began before the capture in which frames must be found.
    pub midstream_bytes: u64,
    /// Bytes kept of one message.
    pub message_bytes: usize,
    /// Bytes kept of one message that was compressed.
    pub inflated_bytes: usize,
    /// Bytes kept of one compressed message as it was on the wire, beside what it inflates to; only who shows frames needs them.
    pub wire_bytes: usize,
    /// Bytes to which one message may inflate before it is given up, beside those that [`Self::INFLATED_EARNED`] allows.
    pub inflated_stop: u64,
    /// The same for all messages of one connection.
    pub inflated_total: u64,
    /// Steps of one search for the length of compressed messages that were lost.
    pub search_steps: u64,
    /// Steps of all such searches of a capture, beside those that [`Self::SEARCH_EARNED`] allows.
    pub search_total: u64,
    /// Such searches that go on at once.
    pub searches: usize,
    /// Bytes kept of all messages under assembly.
    pub message_total: usize,
    /// Holes kept for one message.
    pub message_holes: usize,
    /// Bytes of TLS records of all streams that may be opened in vain where keys or numbers are in doubt, beside those that
    /// [`Self::TRIALS_EARNED`] allows; one direction gets a part of [`Self::TRIALS_SHARES`].
    pub trial_bytes: u64,
    /// Protocols that may stand in one another in a stream: words for proxies, tunnels, TLS.
    pub nested: usize,
    /// Pings of one direction that wait for their pong.
    pub pings: usize,
    /// Messages of all connections that are kept in mind after they were told, for bytes of them that are sent again.
    pub sent_messages: usize,
    /// Bytes of the handshake messages of one TLS session that are kept, where a master secret may be made from them.
    pub transcript_bytes: usize,
    /// Sessions of key logs whose secrets are tried on a TLS stream without ClientHello.
    pub try_sessions: usize,
    /// Records that may have gone before the first that was captured of such a stream.
    pub try_numbers: u64,
    /// Changes of keys that may have gone before it in each direction, or in a hole (RFC 8446 §4.6.3).
    pub try_updates: u32,
    /// Bytes of such a stream that may be opened in vain.
    pub try_bytes: u64,
    /// Bytes of all such streams that may be.
    pub try_total: u64,
    /// TLS handshakes of one stream whose randoms are kept.
    pub tls_handshakes: usize,
    /// Bytes of TLS records of all streams that wait for secrets which the capture may bring behind them.
    pub key_wait_bytes: usize,
    /// Randoms kept of a capture's ClientHellos, to know which key log has a key for it; of more, none is known.
    pub key_sessions: usize,
    /// Secrets kept of key logs where it is not known which sessions the capture has.
    pub key_secrets: usize,
    /// Bytes kept of rows of which only the last are wanted.
    pub tail_bytes: usize,
    /// Bytes that the browser keeps of its index in memory: the rows of messages and frames. The rest goes to a temporary file.
    pub index_bytes: usize,
    /// Bytes that this file may have; messages past that are counted, not listed.
    pub index_file: u64,
    /// Bytes that the temporary file with the browser's payloads may have; later payloads are not kept.
    pub payload_file: u64,
    /// Bytes that the decoder of one connection keeps of messages whose end, or attachments, are still to come.
    pub decoder_bytes: usize,
    /// The same for all connections, with what is kept of requests.
    pub decoder_total: usize,
    /// Requests of one connection that wait for their reply.
    pub open_requests: usize,
    /// Types of messages that are told apart.
    pub message_types: usize,
    /// Bytes kept of a capture's messages to compare them with another's.
    pub diff_bytes: usize,
}

const MIB: usize = 1 << 20;
const MS: i64 = 1_000_000;

impl Limits {
    /// With what may wait in all streams together kept to so many bytes: each of its bounds takes the share that it has of their
    /// sum.
    #[must_use]
    pub fn within(mut self, bytes: usize) -> Self {
        let mut totals = [
            &mut self.fragment_total,
            &mut self.reorder_total,
            &mut self.overlap_total,
            &mut self.opening_total,
            &mut self.h2_pending,
            &mut self.seek_total,
            &mut self.message_total,
            &mut self.key_wait_bytes,
            &mut self.decoder_total,
        ];
        let sum: u128 = totals.iter().map(|total| **total as u128).sum();
        for total in &mut totals {
            let share = **total as u128 * bytes as u128 / sum.max(1);
            **total = usize::try_from(share).unwrap_or(usize::MAX).min(**total);
        }
        self
    }

    /// To how many bytes a compressed one may inflate whatever the bounds: a longer conversation is no bomb.
    pub const INFLATED_EARNED: u64 = 32;
    /// Steps that each compressed byte adds: the time that searches take is that of the capture.
    pub const SEARCH_EARNED: u64 = 8;
    /// How often each byte of a TLS record may be opened in vain.
    pub const TRIALS_EARNED: u64 = 64;
    /// Of what may be spent beside, one direction of a stream gets a part of so many.
    pub const TRIALS_SHARES: u64 = 16;

    /// The bounds that hold when nothing else is said.
    pub const DEFAULT: Self = Self {
        unpacked_bytes: 64 << 30,
        open_captures: 256,
        fragment_pieces: 64,
        fragment_total: 32 * MIB,
        fragment_packets: 1 << 16,
        fragment_nanos: 30_000 * MS,
        encaps: 4096,
        reorder_bytes: 16 * MIB,
        reorder_segments: 4096,
        reorder_total: 256 * MIB,
        overlap_total: MIB,
        overlap_pieces: 128,
        twins: 64,
        copies: 16,
        echoes: 65_536,
        opening_segments: 128,
        opening_bytes: 64 << 10,
        opening_total: 16 * MIB,
        gap_packets: 500,
        gap_nanos: 200 * MS,
        one_sided_segments: 64,
        one_sided_nanos: 10_000 * MS,
        streams: 2 << 20,
        undecided_streams: 1 << 16,
        exported_streams: 1 << 16,
        head_bytes: 64 << 10,
        head_headers: 256,
        head_end: 8 * MIB,
        header_table: MIB,
        h2_streams: 1 << 14,
        h2_pending: 64 * MIB,
        answer_bytes: 1 << 10,
        sessions: 1 << 16,
        session_bytes: 64 * MIB,
        refusal_bytes: 4 << 10,
        early_bytes: MIB,
        seek_bytes: MIB,
        seek_total: 64 * MIB,
        midstream_bytes: 1 << 20,
        message_bytes: 64 * MIB,
        inflated_bytes: 16 * MIB,
        wire_bytes: 0,
        inflated_stop: 256 << 20,
        inflated_total: 10 << 30,
        search_steps: 256 << 20,
        search_total: 256 << 20,
        searches: 64,
        message_total: 512 * MIB,
        message_holes: 1024,
        trial_bytes: 256 << 20,
        nested: 16,
        pings: 64,
        sent_messages: 8_192,
        transcript_bytes: 256 << 10,
        try_sessions: 4096,
        try_numbers: 1 << 20,
        try_updates: 16,
        try_bytes: 1 << 30,
        try_total: 8 << 30,
        tls_handshakes: 64,
        key_wait_bytes: 64 * MIB,
        key_sessions: 1 << 20,
        key_secrets: 4_000_000,
        tail_bytes: 64 * MIB,
        index_bytes: 768 * MIB,
        index_file: 32 << 30,
        payload_file: 64 << 30,
        decoder_bytes: 16 * MIB,
        decoder_total: 256 * MIB,
        open_requests: 4096,
        message_types: 4096,
        diff_bytes: 512 * MIB,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

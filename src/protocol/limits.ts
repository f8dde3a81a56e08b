/**
 * Numbers both ends must agree on, or that bound what a peer may make us hold. docs/limits.md gives the reason of each.
 */
const KIB = 1024;
const MIB = 1024 * KIB;

/** Version of the control messages and of the frames. Any change of a format raises it. */
export const PROTOCOL_VERSION = 12;

/** Leaf of a file's content hash: files up to one leaf have the plain BLAKE3 of their bytes [P-5]. */
export const LEAF_BYTES = 32 * KIB;
export const HASH_BYTES = 32;

/** Largest file: as large as ext4 has them. A hole costs a hash for each of its leaves, so that size alone is work. */
export const FILE_BYTES_MAX = 16 * 1024 * 1024 * MIB;
/** Holes in one data frame, together; a multiple of the leaf. Their leaves' hashes are 1 GiB, a third of a second of hashing. */
export const FRAME_HOLE_BYTES_MAX = 1024 * 1024 * MIB;
/** Kept ranges in one data frame, together; a multiple of the leaf. A sink copies them from its disk before it reports again. */
export const FRAME_KEPT_BYTES_MAX = 8 * MIB;
/** Kept bytes that count in credit as one that is sent: a sink copies them on its disk, and no memory holds them. */
export const KEPT_BYTES_OF_CREDIT = 16;

/** A page holds at most this many entries and this many bytes, on every transport, so that digests agree. */
export const PAGE_ENTRIES_MAX = 1024;
export const PAGE_BYTES_MAX = 64 * KIB;

/** PATH_MAX and NAME_MAX of Linux, less the terminating NUL. */
export const PATH_BYTES_MAX = 4095;
export const NAME_BYTES_MAX = 255;
export const LINK_TARGET_BYTES_MAX = 4095;
export const PATH_DEPTH_MAX = 2048;
/** Entries of one directory. A sink holds 16 bytes for each while their pages come. The index of a name has 24 bits there. */
export const DIRECTORY_ENTRIES_MAX = 2 ** 24 - 1;
/** Extended attributes of one entry, names and values: it must fit into a page, with the longest path and link target. */
export const ATTRIBUTES_BYTES_MAX = 48 * KIB;
export const ATTRIBUTES_MAX = 256;
/** Name of an attribute (`XATTR_NAME_MAX` of Linux), and of an account. */
export const ATTRIBUTE_NAME_BYTES_MAX = 255;
export const ACCOUNT_NAME_BYTES_MAX = 255;

/** Times, in seconds since 1970: what a varint with a sign holds on both sides. */
export const TIME_SECONDS_MAX = 2 ** 52 - 1;
export const TIME_SECONDS_MIN = -(2 ** 52);

/** A system's largest number of a user or group: one less than what means none. */
export const OWNER_ID_MAX = 2 ** 32 - 2;
/** Each of the two numbers of a device. */
export const DEVICE_NUMBER_MAX = 2 ** 32 - 1;

/** Rules that hold at a time of those that directories give, and of those that were given with the command. And their bytes. */
export const FILTER_RULES_MAX = 10_000;
export const FILTER_BYTES_MAX = MIB;
/** The same for one directory's own: with its path it must fit into the least frame. */
export const IGNORE_FILE_BYTES_MAX = 64 * KIB;
export const IGNORE_RULES_MAX = 1_000;
/** Directories of a tree that have rules of their own. */
export const IGNORE_FILES_MAX = 65_536;

/** A frame of any kind; the bound of the embedded relay, and of what a decoder accepts. */
export const FRAME_BYTES_MAX = 4 * MIB;
/** Buffers that are used again for payloads: most frames of file data fit into one. */
export const PAYLOAD_BUFFER_BYTES = MIB + 64 * KIB;
/** Least payload a transport must take: one page or its trailer with its header. */
export const FRAME_BYTES_MIN = 80 * KIB;
/** Small files of one frame: bounds the table that a sink decodes at once. */
export const FRAME_RECORDS_MAX = 4096;

/** Data published but not stored by the slowest sink: where it starts, and where it ends. */
export const WINDOW_BYTES_MIN = MIB;
/** The same where the slowest sink is held to a rate: four frames of the smallest size that rates are cut to. */
export const LIMITED_WINDOW_BYTES_MIN = 256 * KIB;
export const WINDOW_BYTES_START = 4 * MIB;
export const WINDOW_BYTES_MAX = 16 * MIB;
/** The same for a lane, which has one sink and a share of the bytes. And lanes of a source at a time. */
export const LANE_WINDOW_BYTES = 4 * MIB;
export const LANES_MAX = 2;
/** What waits for a reader at a subscriber: twice the largest window, so that a live sink never loses a frame. */
export const SUBSCRIBER_QUEUE_BYTES = 2 * WINDOW_BYTES_MAX;

/** Ranges of missing frames one report names; the rest is asked for when these have come. */
export const MISSING_RANGES_MAX = 64;
/** Bytes a sink may cause to be sent again, however little was published: some windows of them. */
export const REPAIR_BYTES_MIN = 8 * WINDOW_BYTES_MAX;

/** Files of one page whose start a sink says it holds: interrupted ones, of which there are few. */
export const HELD_FILES_MAX = 64;

/** Pages published that some sink has not answered yet. */
export const PAGES_UNANSWERED_MAX = 64;

/** Problems that a summary or a report lists; the others are only counted. */
export const PROBLEMS_LISTED_MAX = 20;
/** Paths of what is not carried that a summary lists, of each kind. */
export const NOT_CARRIED_EXAMPLES_MAX = 3;
/** Length of a path that is shown as one of several examples, in characters. */
export const EXAMPLE_CHARS_MAX = 200;

/** Entries that are not as they were copied, of which a sink tells when it has read its copy again. And that list as JSON. */
export const VERIFY_PROBLEMS_MAX = 100;
export const VERIFY_PROBLEMS_BYTES_MAX = 64 * KIB;

/** A control message, and a report: JSON text, in bytes. */
export const CONTROL_BYTES_MAX = 256 * KIB;
export const REPORT_BYTES_MAX = 64 * KIB;
/** Authorities that vouch for a broker: they are told to each member with its welcome. */
export const BROKER_CA_MAX = 16;

export const SESSION_NAME_CHARS_MAX = 64;
/** Name and version of a member's program. */
export const SOFTWARE_CHARS_MAX = 64;
export const LABEL_CHARS_MAX = 64;
/** Name of the directory that a source copies, as people are shown it. */
export const DIRECTORY_NAME_CHARS_MAX = 128;
export const SESSION_ID_CHARS = 12;
/** Names of the places of a source's directory and of those above it, two for each. And the hex digits of one. */
export const PLACE_NAMES_MAX = 256;
export const PLACE_NAME_CHARS = 32;
export const MEMBER_ID_CHARS = 6;
export const SINKS_PER_SESSION_MAX = 256;
export const SESSIONS_MAX = 64;
/** Of them opened by one member, and from one address that is not the coordinator's own machine. */
export const SESSIONS_PER_MEMBER_MAX = 16;
export const SESSIONS_PER_ADDRESS_MAX = 32;
/** A token has at most 105 characters today. */
export const TOKEN_CHARS_MAX = 256;
/** How long a token may admit, and how long it does unless it is told. */
export const TOKEN_TTL_SECONDS_MIN = 1;
export const TOKEN_TTL_HOURS_DEFAULT = 24;
export const TOKEN_TTL_DAYS_MAX = 3650;
/** Members that a token with a count may let in. */
export const TOKEN_USES_MAX = 10_000;
export const TOKEN_NOTE_CHARS_MAX = 200;
/** Other sessions whose names a member that waits in vain is told at a time. */
export const SESSIONS_TOLD_MAX = 10;

/** Files that a sink may have begun at once: a source reads one after another, and packs at most a few into one frame. */
export const FILES_OPEN_MAX = 64;

/** Rates of `--bwlimit` and of orders, in bytes a second. */
export const BANDWIDTH_BYTES_MIN = KIB;
export const BANDWIDTH_BYTES_MAX = 1024 * 1024 * MIB;
/** A rate or a timetable as text: a change each two hours of the week. */
export const LIMIT_TEXT_CHARS_MAX = 1024;

/** Files from this size on may travel as recipes: for smaller ones asking takes longer than sending. */
export const DELTA_FILE_BYTES_MIN = MIB;
/** Pieces that a recipe of a file has at most: a sink's answer, one bit for each, fits into a report as base64. */
export const RECIPE_PIECES_MAX = 2 ** 18;
/** Pieces that go in one slice of a recipe: at most 42 KiB, so that it goes wherever a page goes. */
export const RECIPE_SLICE_PIECES = 2048;
/** Of the hash of a piece: a wrong match costs bytes, since every file is hashed as a whole. */
export const PIECE_HASH_BYTES = 16;
/** What the pieces of a file are long on average. The largest file has 32,768 of the longest. Both are powers of two. */
export const PIECE_AVERAGE_BYTES_MIN = LEAF_BYTES;
export const PIECE_AVERAGE_BYTES_MAX = 512 * MIB;
/** Recipes that are open at a sink at a time, and their pieces together: each has a file open, and a piece takes 16 bytes. */
export const RECIPES_OPEN_MAX = 128;
export const RECIPES_OPEN_PIECES_MAX = 2 ** 19;

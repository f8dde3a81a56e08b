import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import type { Native } from "../../lib/disk/native-calls.ts";
import { pathIn } from "../../lib/folder/file-path.ts";
import { syncDirectory } from "../../lib/folder/private-file.ts";
import { probeTimes } from "../../sink/own/probe-times.ts";

/** A folder of our own, on the file system that is tried. */
interface TriedFolder {
  readonly path: Buffer;
  readonly native: Native | undefined;
}

interface Tried {
  readonly status: "met" | "lacking" | "skipped";
  readonly found: string;
}

/** Something that a sink's file system should be able to do. */
export interface Ability {
  readonly check: string;
  readonly wanted: string;
  /** What it means, and what to do, where it is lacking. */
  readonly todo: string;
  /** Without it no sink works there. */
  readonly isVital?: boolean;
  /** Throws system errors, which say that it is lacking. */
  look(place: TriedFolder): Tried;
}

const NO_NATIVE: Tried = { status: "skipped", found: "the module for calls of the system is not there" };
const HOLE_BYTES = 1024 * 1024;
const SECOND_NS = 1_000_000_000n;
/** An ACL as the system has it: version 2, then owner, group and others, each with a tag, rights and no name. */
const ACL = Buffer.from("02000000" + "01000600ffffffff" + "04000400ffffffff" + "20000400ffffffff", "hex");

export const ABILITIES: readonly Ability[] = [
  {
    check: "letter-case",
    wanted: "names that differ only in the case of letters are two",
    todo: "of names that differ only in case one is copied, the others are listed; use another file system if there are such",
    look: (place) => apart(place, "fanfold-case", "FANFOLD-CASE", "upper and lower case"),
  },
  {
    check: "unicode",
    wanted: "names that differ only in how an accent is written are two, and stay as they are",
    todo: "of such names one is copied, the others are listed; use another file system if there are such",
    look: (place) => apart(place, "fanfold-\u00e9", "fanfold-e\u0301", "both ways to write an accent"),
  },
  {
    check: "any-name",
    wanted: "names of any bytes",
    todo: "entries with such names are listed and not copied; use another file system if there are such",
    look: ({ path }) => {
      for (const name of ['fanfold-:*?"<>|', Buffer.from("fanfold-\xff", "latin1")])
        writeFileSync(Buffer.concat([path, Buffer.from("/"), Buffer.from(name)]), "");
      return met("they are kept");
    },
  },
  {
    check: "symbolic-links",
    wanted: "symbolic links",
    todo: "symbolic links are listed and not copied; use another file system if there are such",
    look: ({ path }) => {
      symlinkSync("nowhere", pathIn(path, "symbolic-link"));
      return met("they can be made");
    },
  },
  {
    check: "hard-links",
    wanted: "hard links",
    todo: "files with several names are stored once for each name",
    look: ({ path }) => {
      writeFileSync(pathIn(path, "linked"), "");
      linkSync(pathIn(path, "linked"), pathIn(path, "hard-link"));
      return met("they can be made");
    },
  },
  {
    check: "modes",
    wanted: "permissions of files are kept",
    todo: "copies have other permissions than the source; use another file system, or mount this one otherwise",
    look: (place) =>
      withFile(place, "mode", (fd, path) => {
        chmodSync(path, 0o640);
        const mode = fstatSync(fd).mode & 0o777;
        return mode === 0o640 ? met("they are kept") : lacking(`0640 became 0${mode.toString(8)}`);
      }),
  },
  {
    check: "owners",
    wanted: "files belong to who makes them",
    todo: "copies have another owner than the source; mount the file system with owners, if it has such",
    look: (place) =>
      withFile(place, "owner", (fd) => {
        const [uid, own] = [fstatSync(fd).uid, process.geteuid?.()];
        return uid === own ? met("they do") : lacking(`a new file belongs to user ${uid}, and this is user ${own}`);
      }),
  },
  {
    check: "attributes",
    wanted: "extended attributes",
    todo: "attributes are counted and not copied; use another file system, or mount this one with user_xattr",
    look: (place) => setsAttribute(place, "user.fanfold", Buffer.from("1")),
  },
  {
    check: "acls",
    wanted: "access control lists",
    todo: "access control lists are counted and not copied; use another file system, or mount this one with acl",
    look: (place) => setsAttribute(place, "system.posix_acl_access", ACL),
  },
  {
    check: "holes",
    wanted: "holes in files take no space",
    todo: "files with holes take their whole size; use another file system if there are such",
    look: (place) =>
      withFile(place, "hole", (fd) => {
        writeSync(fd, "1", HOLE_BYTES);
        fsyncSync(fd);
        return fstatSync(fd).blocks * 512 < HOLE_BYTES ? met("they take none") : lacking("they take space");
      }),
  },
  {
    check: "times",
    wanted: "times of files, kept to less than a second",
    todo: "a file that changes twice within this time may be taken as unchanged; --checksum compares content",
    look: ({ path, native }) =>
      withFile({ path, native }, "time", (fd) => {
        const { unit } = probeTimes(fd, native).scale;
        return unit < SECOND_NS ? met(`kept to ${unit} ns`) : lacking(`kept to ${unit / SECOND_NS} s`);
      }),
  },
  {
    check: "sync",
    wanted: "what was written can be put on the disk",
    todo: "without it no copy is proven; use another file system, or start the sink with --durability none",
    isVital: true,
    look: ({ path, native }) =>
      withFile({ path, native }, "sync", (fd) => {
        writeSync(fd, "1");
        fsyncSync(fd);
        syncDirectory(path);
        return met("files and directories can be synced");
      }),
  },
  {
    check: "locks",
    wanted: "locks, which keep two sinks out of one folder",
    todo: "use another file system, or mount this one with locks",
    isVital: true,
    look: ({ path, native }) =>
      native === undefined
        ? NO_NATIVE
        : withFile({ path, native }, "lock", (fd) => {
            const isHeld = native.lockRange(fd, { kind: "write", startBytes: 0, lengthBytes: 1 });
            return isHeld ? met("they can be taken") : lacking("a file that nobody has cannot be locked");
          }),
  },
];

function met(found: string): Tried {
  return { status: "met", found };
}

function lacking(found: string): Tried {
  return { status: "lacking", found };
}

/** In a folder of its own, where nothing else is. */
function apart({ path }: TriedFolder, one: string, other: string, what: string): Tried {
  const folder = pathIn(path, Buffer.from(one).toString("hex"));
  mkdirSync(folder);
  writeFileSync(pathIn(folder, one), "");
  if (existsSync(pathIn(folder, other))) return lacking(`${what} are one name`);
  const [listed] = readdirSync(folder, { encoding: "buffer" });
  return listed?.equals(Buffer.from(one)) === true
    ? met(`${what} are two names`)
    : lacking("a name is stored otherwise");
}

function setsAttribute(place: TriedFolder, name: string, value: Buffer): Tried {
  const { native } = place;
  if (native === undefined) return NO_NATIVE;
  return withFile(place, name, (fd) => {
    native.setAttribute(fd, Buffer.from(name), value);
    return met("they are kept");
  });
}

function withFile({ path }: TriedFolder, name: string, work: (fd: number, path: Buffer) => Tried): Tried {
  const file = pathIn(path, name);
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    return work(fd, file);
  } finally {
    closeSync(fd);
  }
}

import { readFileSync } from "node:fs";
import { loadNative } from "../../lib/disk/native.ts";
import { reasonOf } from "../../lib/errors.ts";
import { ABILITIES, type Ability } from "./abilities.ts";
import { type DoctorFinding, Look } from "./finding.ts";
import { mountType } from "./mount-type.ts";

const TYPE = new Look("file-system", "a local file system of Linux, which keeps all that a source has");
/** Known to keep less than a source has, or to be somewhere else. */
const REMOTE = /^(?:nfs4?|cifs|smb3|9p|afs|ceph|glusterfs|fuse\.(?:sshfs|s3fs|rclone|glusterfs))$/;
const SMALL_FILES = /^(?:vfat|msdos)$/;

/** What the file system of a folder is able to do, by what becomes of files in `place`. */
export function abilityFindings(folder: Buffer, place: Buffer): readonly DoctorFinding[] {
  const native = loadNative();
  return [typeFinding(folder), ...ABILITIES.map((ability) => tryAbility(ability, { path: place, native }))];
}

export function skippedAbilities(why: string): readonly DoctorFinding[] {
  return [TYPE.skipped(why), ...ABILITIES.map(({ check, wanted }) => new Look(check, wanted).skipped(why))];
}

function tryAbility(
  { check, wanted, todo, isVital, look }: Ability,
  place: Parameters<Ability["look"]>[0],
): DoctorFinding {
  const findings = new Look(check, wanted);
  try {
    const { found, status } = look(place);
    if (status === "skipped") return findings.skipped(found);
    if (status === "met") return findings.ok(found);
    return isVital ? findings.error(found, todo) : findings.warning(found, todo);
  } catch (thrown) {
    const found = reasonOf(thrown);
    return isVital ? findings.error(found, todo) : findings.warning(found, todo);
  }
}

function typeFinding(folder: Buffer): DoctorFinding {
  const type = mountType(folder.toString("latin1"), readMounts());
  if (type === undefined) return TYPE.skipped("this system does not tell in a way that is known here");
  if (SMALL_FILES.test(type))
    return TYPE.warning(`${type}: files of 4 GiB and more do not fit`, "use ext4, XFS or Btrfs");
  if (!REMOTE.test(type)) return TYPE.ok(type);
  const todo = "run the sink on the machine that has the disk, if it can be";
  return TYPE.warning(`${type}, which is on another machine: copies depend on the way there`, todo);
}

function readMounts(): string {
  try {
    return readFileSync("/proc/self/mountinfo", "latin1");
  } catch {
    return "";
  }
}

import { formatBytes, formatCount } from "../../words/format.ts";
import { type DoctorFinding, Look } from "./finding.ts";

/** Less is as good as full. */
const SPACE_MIN_BYTES = 1024 * 1024;
const INODES_MIN = 100;
/** Of space and of inodes. */
const FREE_SHARE_WANTED = 0.05;

/** Of a file system, as statfs(2) gives it. */
interface RoomFacts {
  readonly bsize: number;
  readonly blocks: number;
  readonly bavail: number;
  /** 0 where the file system makes inodes as they are needed. */
  readonly files: number;
  readonly ffree: number;
}

/** Whether there is room for a copy. */
export function roomFindings({ bsize, blocks, bavail, files, ffree }: RoomFacts): readonly DoctorFinding[] {
  return [spaceFinding(bavail * bsize, blocks * bsize), inodesFinding(ffree, files)];
}

function spaceFinding(freeBytes: number, sizeBytes: number): DoctorFinding {
  const look = new Look("space", "5% of the file system free, and room for the copy");
  const found = `${formatBytes(freeBytes)} of ${formatBytes(sizeBytes)} are free`;
  const todo = "free some space, or name a folder on another file system";
  if (freeBytes < SPACE_MIN_BYTES) return look.error(found, todo);
  return freeBytes < sizeBytes * FREE_SHARE_WANTED ? look.warning(found, todo) : look.ok(found);
}

function inodesFinding(free: number, total: number): DoctorFinding {
  const look = new Look("inodes", "5% of the inodes free: each file and directory takes one");
  if (total === 0) return look.ok("the file system makes them as they are needed");
  const found = `${formatCount(free)} of ${formatCount(total)} are free`;
  const todo = "remove small files, or use a file system that was made with more inodes";
  if (free < INODES_MIN) return look.error(found, todo);
  return free < total * FREE_SHARE_WANTED ? look.warning(found, todo) : look.ok(found);
}

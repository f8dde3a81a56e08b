import { closeSync, fchmodSync, futimesSync, openSync, renameSync, writeSync } from "node:fs";
import { type Batch, CREATE_FILE, FILE_BYTES, MODE, type OpenFolder, TIME_SECONDS } from "./batch.ts";

export function storeBatch(folder: OpenFolder, { firstFile, bytes }: Batch): void {
  for (let offset = 0; offset < bytes.length; offset += FILE_BYTES) {
    const file = firstFile + offset / FILE_BYTES;
    const fd = openSync(folder.partial(file), CREATE_FILE, 0o600);
    writeSync(fd, bytes, offset, FILE_BYTES, 0);
    fchmodSync(fd, MODE);
    futimesSync(fd, TIME_SECONDS, TIME_SECONDS);
    closeSync(fd);
    renameSync(folder.partial(file), folder.final(file));
  }
}

/** What a sink has and knows of the totals. */
export interface EngineCounts {
  filesFound: number;
  bytesFound: number;
  /** Delivered, withdrawn, given up, or taken as unchanged. */
  filesDone: number;
  bytesDone: number;
  /** Of these: files that stood there already. */
  filesUnchanged: number;
  bytesUnchanged: number;
  /** Entries that were made, replaced, or given another owner, mode, time or attribute; known at the end. */
  entriesChanged: number;
  discoveryEnded: boolean;
  current: string;
}

export function emptyCounts(): EngineCounts {
  return {
    filesFound: 0,
    bytesFound: 0,
    filesDone: 0,
    bytesDone: 0,
    filesUnchanged: 0,
    bytesUnchanged: 0,
    entriesChanged: 0,
    discoveryEnded: false,
    current: "",
  };
}

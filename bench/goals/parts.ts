/** How large and how often, for all parts. */
export interface PartOptions {
  readonly runs: number;
  /** Share of the size of everything. */
  readonly scale: number;
  readonly folder: string;
  readonly nats: string;
  readonly amqp: string;
}

/** One run of a program of the bench. */
export interface Part {
  readonly name: string;
  readonly program: "copy" | "uplink" | "first-byte";
  readonly args: (options: PartOptions) => readonly string[];
  /** Only where it is asked for. */
  readonly isLong?: boolean;
}

const FILES = 1_000_000;
const FILES_OF_MILLIONS = 2_000_000;
const FILES_OF_A_DIRECTORY = 1000;

export const PARTS: readonly Part[] = [
  {
    name: "copies",
    program: "copy",
    args: (options) => ["--sinks", "3", ...embedded(options)],
  },
  {
    name: "sinks",
    program: "copy",
    args: (options) => ["--workload", "big", "--sinks", "1,8", ...embedded(options)],
  },
  {
    name: "uplink",
    program: "uplink",
    args: (options) => ["--mbits", "1000", ...threeOverALink(options)],
  },
  {
    name: "fast-uplink",
    program: "uplink",
    args: (options) => ["--mbits", "none", ...threeOverALink(options)],
  },
  {
    name: "slow-uplink",
    program: "uplink",
    args: ({ runs, scale }) => ["--mbits", "200", "--sinks", "8", "--runs", String(runs), "--scale", String(scale)],
  },
  {
    name: "first-byte",
    program: "first-byte",
    args: (options) => ["--sinks", "3", "--runs", String(options.runs), ...files(FILES, options)],
  },
  {
    name: "brokers",
    program: "copy",
    args: ({ nats, amqp, ...options }) => [
      ...["--workload", "big", "--sinks", "3", "--transports", "nats,amqp", "--peers", "bare"],
      ...["--nats", nats, "--amqp", amqp, ...sized(options)],
    ],
  },
  {
    name: "millions",
    program: "first-byte",
    args: (options) => ["--whole", "--sinks", "1", "--runs", "1", ...files(FILES_OF_MILLIONS, options)],
    isLong: true,
  },
];

function embedded(options: PartOptions): string[] {
  return ["--transports", "embedded", "--peers", "rsync", ...sized(options)];
}

function threeOverALink({ runs, scale }: PartOptions): string[] {
  const sizes = ["--runs", String(runs), "--scale", String(scale)];
  return ["--sinks", "3", "--rsync", "--workload", "big,mixed,tiny", ...sizes];
}

function sized({ runs, scale, folder }: Pick<PartOptions, "runs" | "scale" | "folder">): string[] {
  return ["--runs", String(runs), "--scale", String(scale), "--folder", folder];
}

function files(count: number, { scale, folder }: PartOptions): string[] {
  const scaled = Math.max(1, Math.round(count * scale));
  const directories = Math.ceil(scaled / FILES_OF_A_DIRECTORY);
  return ["--files", String(scaled), "--directories", String(directories), "--folder", folder];
}

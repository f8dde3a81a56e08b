import type { FilterOption } from "../../../source/walk/filter-options.ts";
import type { LinkPolicy } from "../../../source/walk/link-policy.ts";
import { parsePath } from "../../options/parse-name.ts";
import { EXIT_STATUS } from "../../process/exit-status.ts";
import { boundMemory } from "../../process/heap.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { SharedOptions } from "../../terminal/output-mode.ts";
import { digestView } from "../../view/digest-view.ts";
import { runCommand } from "../run-command.ts";

/** `fanfold digest`, as commander reads it. */
export interface DigestCommandOptions extends SharedOptions {
  /** In the order of the command line. */
  readonly filters?: readonly FilterOption[];
  readonly oneFileSystem?: boolean;
  readonly links: LinkPolicy;
  readonly owner: boolean;
  readonly perms: boolean;
  readonly times: boolean;
}

export async function digestCommand(given: string, options: DigestCommandOptions, io: ProgramIo): Promise<number> {
  const folder = parsePath(given, "the directory to read");
  const { filters = [], links, owner, perms, times } = options;
  const { digestFolder } = await import("../../../source/digest/digest-folder.ts");
  return runCommand({
    view: digestView,
    options,
    io,
    start: async ({ signal }) => {
      boundMemory();
      const run = digestFolder({
        ...{ folder, filters, links, owner, perms, times, signal },
        oneFileSystem: options.oneFileSystem === true,
        fileEvents: options.verbose === true || options.json === true,
      });
      return { events: run.events(), result: run.result };
    },
    statusOf: ({ problemCount }) => (problemCount === 0 ? EXIT_STATUS.ok : EXIT_STATUS.incomplete),
  });
}

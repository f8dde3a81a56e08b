import { type Command, Option } from "commander";
import { parsePublicKey } from "../../options/parse-name.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { ReceiptVerifyOptions } from "./receipt-command.ts";

/** `fanfold receipt`, with the command below it. */
export function addReceipt(program: Command, io: ProgramIo, finish: Finish): void {
  const receipt = program
    .command("receipt")
    .summary("check what sinks have signed")
    .description("Each sink signs what it proved. `fanfold source --receipt FILE` keeps these receipts.")
    .helpOption("-h, --help", "show this help");
  receipt
    .command("verify")
    .summary("check the signatures in a file, and say who proved what and when")
    .description("Checks the signatures in FILE, offline, and prints a line for each: who proved what, and when.")
    .argument("<file>", "a file that `fanfold source --receipt` wrote")
    .addOption(
      new Option("--sink <key>", "accept only receipts of the sink with this public key (repeatable)").argParser(
        (value, previous: readonly string[] | undefined) => [...(previous ?? []), parsePublicKey(value, "--sink")],
      ),
    )
    .addOption(new Option("--json", "print each receipt as JSON"))
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", VERIFY_HELP)
    .action(async (file: string, options: ReceiptVerifyOptions) => {
      const { verifyReceipts } = await import("./receipt-command.ts");
      finish(await verifyReceipts(file, options, io));
    });
}

const VERIFY_HELP = `
Examples:
  fanfold receipt verify photos.receipts
`;

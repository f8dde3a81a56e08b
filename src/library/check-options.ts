import { z } from "zod";
import { FanfoldError } from "../lib/errors.ts";

/** A check for each option that there is. */
export type OptionChecks<Options> = { readonly [Name in keyof Required<Options>]: z.ZodType };

/**
 * Sees that options are what they are declared to be: programs in plain JavaScript have nothing else that tells them.
 *
 * @param call name of the function that they are given to
 * @throws FanfoldError `usage` with the name of the first option that is not
 */
export function checkOptions<Options>(call: string, checks: OptionChecks<Options>, options: unknown): void {
  const shape: Readonly<Record<string, z.ZodType>> = checks;
  const { error } = z.strictObject(shape).safeParse(options);
  const issue = error?.issues[0];
  if (issue === undefined) return;
  throw new FanfoldError("usage", `Call ${call}(): ${faultOf(issue, options)}`, { cause: error });
}

function faultOf(issue: z.core.$ZodIssue, options: unknown): string {
  if (issue.code === "unrecognized_keys" && issue.path.length === 0)
    return `there is no option "${issue.keys[0]}"; the types of the package list the options`;
  const [name] = issue.path;
  if (name === undefined) return "it takes one object with options";
  const isMissing = typeof options === "object" && options !== null && Reflect.get(options, name) === undefined;
  if (isMissing) return `the option "${String(name)}" is missing`;
  const where = issue.path.map(String).join(".");
  return `the option "${where}" is wrong: ${reasonIn(issue)}`;
}

function reasonIn({ message }: z.core.$ZodIssue): string {
  const said = message.replace(/^Invalid input: /, "");
  return said.charAt(0).toLowerCase() + said.slice(1);
}

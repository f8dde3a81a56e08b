const DECLARED = /^(?:export )?(?:abstract )?(?:interface|type|class) (\w+)/gm;

/** A name that two files of src give to a type has two meanings, and a reader has to look up which. */
export function typeNameProblems(sources: ReadonlyMap<string, string>): string[] {
  const declaredIn = new Map<string, string[]>();
  for (const [file, text] of sources) {
    if (!file.startsWith("src/")) continue;
    for (const [, name = ""] of text.matchAll(DECLARED)) declaredIn.set(name, [...(declaredIn.get(name) ?? []), file]);
  }
  return [...declaredIn]
    .filter(([, files]) => files.length > 1)
    .map(([name, files]) => `${files.join(", ")}: all declare a type "${name}": give each its own name`);
}

const DECLARED = /^export (?:abstract )?(?:interface|type|class) (\w+)/gm;

/** A type that is exported twice under one name has two meanings, and a reader has to look up which. */
export function typeNameProblems(sources: ReadonlyMap<string, string>): string[] {
  const declaredIn = new Map<string, string[]>();
  for (const [file, text] of sources) {
    for (const [, name = ""] of text.matchAll(DECLARED)) declaredIn.set(name, [...(declaredIn.get(name) ?? []), file]);
  }
  return [...declaredIn]
    .filter(([, files]) => files.length > 1)
    .map(([name, files]) => `${files.join(", ")}: all export a type "${name}": give each its own name`);
}

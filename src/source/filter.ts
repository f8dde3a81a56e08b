export interface Filter {
  excludes(path: Uint8Array, isDirectory: boolean): boolean;
}
export interface FilterGroup {
  readonly rules: readonly never[];
}
export function compileFilter(_groups: readonly FilterGroup[]): Filter | undefined {
  return undefined;
}

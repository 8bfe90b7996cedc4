/** Where launch.ts, which is a module, leaves its own import(): that of a script which V8 takes from a cache has no loader behind it. */
export const IMPORT_MODULE = Symbol.for('faultline.importModule');

type Import = (url: string) => Promise<unknown>;

/** import() of a file of the user, by its URL. */
export function importModule(url: string): Promise<unknown> {
  const given = (globalThis as { [IMPORT_MODULE]?: Import })[IMPORT_MODULE];
  return given === undefined ? import(url) : given(url);
}

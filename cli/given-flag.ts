/** Did the user give Node this flag of V8 (`wasm-tiering-budget`)? V8 tells nobody what its flags are, so those of ours stay away from it. */
export function isFlagGiven(name: string): boolean {
  const pattern = new RegExp(`--(?:no-?)?${name.replaceAll('-', '[-_]')}(?![-\\w])`);
  return [...process.execArgv, process.env.NODE_OPTIONS].some((text) => pattern.test(text ?? ''));
}

import { Command } from 'commander';
import { type ContractCase, PolicyError, RECLAIM_CONTRACT, type ReclaimPolicies } from '../src/index.ts';
import { loadPolicyFile, withTimeLimit } from './policy-file.ts';

/** A case of the contract that takes longer in real time does not end. Generous: ours take a few seconds. */
const CASE_LIMIT_MS = 120_000;

const EXAMPLES = `
docs/reclaim-policy.md says what a policy is; examples/reclaim-policy.ts is one to begin with.

Examples:
  faultline policy check ./my-policy.mjs
  faultline run --memory 16M --swap 64M --reclaim ./my-policy.mjs --stats ./program`;

export function policyCommand(): Command {
  return new Command('policy')
    .description('Work with reclaim policies of your own (--reclaim FILE).')
    .addHelpText('after', EXAMPLES)
    .addCommand(
      new Command('check')
        .argument('<file>', 'a .ts, .mts, .js or .mjs file that exports createPolicy(frames)')
        .description("Run the contract that Faultline's own policies pass; exit status 1 if one thing does not hold.")
        .action(async (file: string) => {
          process.exitCode = checkPolicy(file, await loadPolicyFile(file));
        }),
    );
}

/** One line a case; the exit status. */
function checkPolicy(file: string, policies: ReclaimPolicies): number {
  let failed = 0;
  for (const each of RECLAIM_CONTRACT) {
    const why = failureOf(each, file, policies);
    process.stdout.write(why === null ? `ok      ${each.name}\n` : `failed  ${each.name}: ${why}\n`);
    if (why !== null) failed++;
  }
  const count = RECLAIM_CONTRACT.length;
  process.stdout.write(failed === 0 ? `${file}: all ${count} hold\n` : `${file}: ${failed} of ${count} do not hold\n`);
  return failed === 0 ? 0 : 1;
}

/** One line, or null. What a case throws, an assertion or anything else, is what the policy led to. */
function failureOf(each: ContractCase, file: string, policies: ReclaimPolicies): string | null {
  try {
    withTimeLimit(() => each.run(policies), CASE_LIMIT_MS, `${file}: a method does not end`);
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return (error instanceof PolicyError ? message.replace(`${file}: `, '') : message).split('\n')[0];
  }
}

import { EVENT_DOCS } from '../src/base/event-docs.ts';
import { EVENT_FIELDS, EVENT_VALUE_NAMES } from '../src/base/event-fields.ts';
import { EVENT_KINDS, type EventField } from '../src/base/event-kinds.ts';

const HEAD = `# Events

The memory manager tells each of its transitions as an event: its virtual time, the task on whose behalf it happened (\`common_pid\`, 0: nobody's),
its kind, and its fields, which are numbers. Kinds have the names of Linux's tracepoints where there is one, and \`faultline:\` where there is
none. A kind that nobody listens to costs one load of a byte; events never change the run, and a replay tells the same ones again.

\`\`\`sh
faultline run --trace page_fault,cow_copy ./program                                  # on standard error, while it runs; events: all
faultline record -o run.flt ./program
faultline replay run.flt events                                                   # all, in lines as perf trace's
faultline replay run.flt events --kind cow_copy,swap_in --pid 6 --from 1ms --to 2ms
faultline replay run.flt events --format parquet -o events.parquet                # csv, jsonl, json too
\`\`\`

From TypeScript: \`system.on(['faultline:cow_copy'], listener)\`, or an \`EventLog\`, which keeps events in columns ([library.md](library.md)).

A name of a field means the same thing in all kinds; the table at the end has the units. Fields that Linux has and that mean nothing here (the node, the
migrate type) are left out; \`mm_id\` stands for pointers to an mm_struct, \`file_id\` for the pair of device and inode.

This page is made by \`node scripts/generate-events-doc.mjs\` from \`src/base/event-kinds.ts\`, \`event-docs.ts\` and \`event-fields.ts\`.
`;

/** Groups in the order in which they are first met. */
function groupsOf(): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  EVENT_KINDS.forEach(({ name }, kind) => {
    const group = name.slice(0, name.indexOf(':'));
    groups.set(group, [...(groups.get(group) ?? []), kind]);
  });
  return groups;
}

/** docs/events.md. */
export function eventsDocument(): string {
  const parts = [HEAD];
  for (const [group, kinds] of groupsOf()) {
    parts.push(`## ${group}:\n`, '| event | fields | when | where Linux does it |', '| --- | --- | --- | --- |');
    for (const kind of kinds) {
      const { name, fields } = EVENT_KINDS[kind];
      const { when, linux } = EVENT_DOCS[name];
      parts.push(`| \`${name}\` | ${fields.map((field) => `\`${field}\``).join(' ')} | ${when} | ${linux} |`);
    }
    parts.push('');
  }
  parts.push('## Fields\n', '| field | column | what it is |', '| --- | --- | --- |');
  for (const field of Object.keys(EVENT_FIELDS).sort() as EventField[]) {
    const { type, show, about } = EVENT_FIELDS[field];
    parts.push(`| \`${field}\` | ${type} | ${about}${namesOf(show)} |`);
  }
  return `${parts.join('\n')}\n`;
}

function namesOf(show: (typeof EVENT_FIELDS)[EventField]['show']): string {
  if (show === 'dec' || show === 'hex') return '';
  const names = (EVENT_VALUE_NAMES[show] as readonly string[]).flatMap((name, value) =>
    name === '' ? [] : `${value} ${name}`,
  );
  return `: ${names.join(', ')}`;
}

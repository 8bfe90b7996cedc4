import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { EVENT_FIELDS, EVENT_VALUE_NAMES } from '../src/base/event-fields.ts';
import * as kinds from '../src/base/event-kinds.ts';
import { FAULT_KINDS } from '../src/mm/address-space.ts';
import { MEMORY_EVENTS } from '../src/mm/memcg/memcg.ts';
import { RECLAIM_BY } from '../src/mm/reclaim/lruvec-pages.ts';
import { eventsDocument } from './events-document.ts';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const { EVENT_KINDS } = kinds;
const CONSTANTS = Object.entries(kinds).filter(([name]) => name.startsWith('EV_')) as [string, number][];

test('docs/events.md is what the tables generate', () => {
  const committed = readFileSync(new URL('../docs/events.md', import.meta.url), 'utf8');
  expect(committed, 'run: node scripts/generate-events-doc.mjs').toBe(eventsDocument());
});

test('each kind has one name, one constant, and no more fields than a record has values', () => {
  expect(CONSTANTS.map(([, kind]) => kind).sort((a, b) => a - b)).toEqual(EVENT_KINDS.map((_, kind) => kind));
  expect(new Set(EVENT_KINDS.map(({ name }) => name)).size).toBe(EVENT_KINDS.length);
  // An order of events is kept in bytes (EventLog).
  expect(EVENT_KINDS.length).toBeLessThanOrEqual(256);
  for (const { fields } of EVENT_KINDS) expect(fields.length).toBeLessThanOrEqual(8);
  // Columns of every table.
  for (const name of ['time_ns', 'common_pid', 'event']) expect(EVENT_FIELDS).not.toHaveProperty(name);
});

test('somebody emits each kind, and looks first whether it is listened to', () => {
  const files = (readdirSync(SRC, { recursive: true }) as string[]).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'base/event-kinds.ts',
  );
  const text = files.map((name) => readFileSync(join(SRC, name), 'utf8')).join('\n');
  for (const [name] of CONSTANTS) {
    expect(text, name).toMatch(new RegExp(`\\.enabled\\[${name}\\] !== 0`));
    expect(text, name).toMatch(new RegExp(`\\.emit\\(\\s*${name}\\b`));
  }
});

test('names of values are those of the code', () => {
  expect(EVENT_VALUE_NAMES.fault).toEqual(FAULT_KINDS);
  expect(EVENT_VALUE_NAMES.memcgEvent).toEqual(MEMORY_EVENTS);
  expect(EVENT_VALUE_NAMES.by).toEqual(RECLAIM_BY);
});

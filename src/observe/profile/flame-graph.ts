import type { WeightedStack } from './collapsed.ts';

interface Node {
  readonly name: string;
  weight: number;
  readonly children: Map<string, Node>;
}

const WIDTH = 1200;
const ROW = 16;
const MARGIN = 10;
const TOP = 34;
/** Narrower than this is not drawn. */
const LEAST_WIDTH = 0.3;
/** Of 12 px Verdana, about. */
const LETTER = 7;

/**
 * A flame graph as one SVG file: x is the share of the weight, in the order of names; what calls is below what is called. Colours are
 * flamegraph.pl's palette `mem`, by name, so that a function has the same one in every picture.
 */
export function drawFlameGraph(
  stacks: readonly WeightedStack[],
  about: { readonly title: string; readonly unit: string },
): string {
  const root: Node = { name: 'all', weight: 0, children: new Map() };
  for (const { names, weight } of stacks) add(root, names, weight);
  const height = TOP + (depthOf(root) + 1) * ROW + MARGIN;
  const boxes: string[] = [];
  const draw = (node: Node, from: number, width: number, depth: number): void => {
    if (width < LEAST_WIDTH) return;
    boxes.push(box({ node, from, width, y: height - MARGIN - (depth + 1) * ROW }, root.weight, about.unit));
    let at = from;
    for (const child of [...node.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const share = (width * child.weight) / node.weight;
      draw(child, at, share, depth + 1);
      at += share;
    }
  };
  if (root.weight > 0) draw(root, MARGIN, WIDTH - 2 * MARGIN, 0);
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="Verdana, sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#f8f8f8"/>
<text x="${WIDTH / 2}" y="22" text-anchor="middle" font-size="16">${escapeXml(about.title)}</text>
${boxes.join('\n')}
</svg>
`;
}

function add(root: Node, names: readonly string[], weight: number): void {
  root.weight += weight;
  let node = root;
  for (const name of names) {
    let child = node.children.get(name);
    if (child === undefined) {
      child = { name, weight: 0, children: new Map() };
      node.children.set(name, child);
    }
    child.weight += weight;
    node = child;
  }
}

function depthOf(node: Node): number {
  return 1 + Math.max(0, ...[...node.children.values()].map(depthOf));
}

function box(
  { node, from, width, y }: { node: Node; from: number; width: number; y: number },
  all: number,
  unit: string,
): string {
  const share = ((100 * node.weight) / all).toFixed(2);
  const letters = Math.floor((width - 4) / LETTER);
  const shown = node.name.length <= letters ? node.name : letters < 4 ? '' : `${node.name.slice(0, letters - 2)}..`;
  const text = shown === '' ? '' : `<text x="${(from + 3).toFixed(1)}" y="${y + 12}">${escapeXml(shown)}</text>`;
  const label = `${escapeXml(node.name)} (${node.weight} ${unit}, ${share}%)`;
  const place = `x="${from.toFixed(1)}" y="${y}" width="${Math.max(0.1, width - 0.5).toFixed(1)}" height="${ROW - 1}"`;
  return `<g><title>${label}</title><rect ${place} rx="2" fill="${colourOf(node.name)}"/>${text}</g>`;
}

/** mem: from green to cyan. */
function colourOf(name: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193) >>> 0;
  const share = (hash % 1000) / 1000;
  return `rgb(0,${190 + Math.floor(50 * share)},${Math.floor(210 * share)})`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

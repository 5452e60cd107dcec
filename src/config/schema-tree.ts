import { z } from 'zod';
import type { Path } from './yaml-tree.ts';

/** The part of JSON Schema that the configuration schema becomes, with our own facts of each key. */
export type SchemaNode = {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly environment?: readonly string[];
  readonly flag?: string;
  readonly secret?: boolean;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | false;
};

/** Turns a schema into a tree of keys that can be looked up and printed. */
export function toSchemaTree(schema: z.ZodType): SchemaNode {
  const json: unknown = z.toJSONSchema(schema, { unrepresentable: 'any' });
  return isSchemaNode(json) ? json : {};
}

function isSchemaNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && 'properties' in value;
}

/** Keys that are known at a path; empty where any key goes or nothing stands. */
export function knownKeysAt(tree: SchemaNode, path: Path): readonly string[] {
  let node: SchemaNode | undefined = tree;
  for (const part of path) {
    const any: SchemaNode | undefined = node?.additionalProperties || undefined;
    node = typeof part === 'number' ? node?.items : (node?.properties?.[part] ?? any);
  }
  return Object.keys(node?.properties ?? {});
}

/** Where else in the tree a key of that name stands, dotted; undefined where it stands nowhere. */
export function placeOfKey(tree: SchemaNode, key: string): string | undefined {
  const children = Object.entries(tree.properties ?? {});
  if (children.some(([name]) => name === key)) return key;
  for (const [name, child] of children) {
    const below = placeOfKey(child, key);
    if (below !== undefined) return `${name}.${below}`;
  }
  return undefined;
}

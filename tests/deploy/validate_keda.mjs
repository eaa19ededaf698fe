// Reads a KEDA ScaledObject as JSON from standard input and prints, as JSON, what its schema has against it. The
// cluster drops fields that the schema does not name, without a word; here they are those that it never looks at.
import { readFileSync } from 'node:fs';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';

const looks = [];

function watched(value, path) {
  if (value === null || typeof value !== 'object') return value;
  const parts = Array.isArray(value) ? [] : {};
  for (const name of Object.keys(value)) parts[name] = watched(value[name], `${path}/${name}`);
  const unseen = new Set(Array.isArray(value) ? [] : Object.keys(value));
  looks.push({ path, unseen });
  return new Proxy(parts, { get: (target, name) => (unseen.delete(name), target[name]) });
}

const wrong = [];
try {
  ScaledObject.prototype.validate.call(watched(JSON.parse(readFileSync(0, 'utf-8')), ''));
  for (const { path, unseen } of looks) for (const name of unseen) wrong.push(`${path}/${name} is unknown`);
} catch (error) {
  wrong.push(error.message);
}
console.log(JSON.stringify(wrong));

// Types of TypeScript and Python for the JSON Schemas of this project: the part of JSON Schema that they use.

/**
 * The type of the values of `schema` in TypeScript. `isReply`: lists that the server never leaves empty have at least one item. `names`: the
 * names of types by the JSON of their schema.
 */
export function typescriptType(schema, { isReply = false, names = new Map() } = {}) {
  const inner = (part) =>
    names.get(JSON.stringify({ ...part, description: undefined })) ?? typescriptType(part, { isReply, names });
  const { oneOf, anyOf, enum: choices, type } = schema;
  if (oneOf ?? anyOf) return union((oneOf ?? anyOf).map(inner));
  if (choices !== undefined) return union(choices.map(typescriptLiteral)).replace('true | false', 'boolean');
  if (Array.isArray(type)) return union(type.map((one) => inner({ ...schema, type: one })));
  if (schema.const !== undefined) return typescriptLiteral(schema.const);
  switch (type) {
    case 'array':
      return typescriptList(schema, inner, isReply);
    case 'object':
      return typescriptObject(schema, inner);
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    case undefined:
      return 'unknown';
    default:
      throw new Error(`expected a schema with a known type, got ${JSON.stringify(schema).slice(0, 200)}`);
  }
}

function typescriptList({ items, prefixItems, minItems = 0 }, inner, isReply) {
  if (prefixItems !== undefined) {
    const first = prefixItems.map(inner).join(', ');
    return `readonly [${first}${isReply && Object.keys(items ?? {}).length > 0 ? `, ...${inner(items)}[]` : ''}]`;
  }
  const item = inner(items);
  if (isReply && minItems > 0) return `readonly [${item}, ...${item}[]]`;
  // `readonly A[] | B` and `readonly readonly A[][]` would be read otherwise.
  const isSimple = /^\w+$/.test(item) || (item.startsWith('{') && !isUnion(items));
  return `readonly ${isSimple ? item : `(${item})`}[]`;
}

function typescriptObject({ properties, required = [], additionalProperties }, inner) {
  if (properties === undefined) {
    if (typeof additionalProperties !== 'object') throw new Error('expected an object with named properties');
    return `{ readonly [text: string]: ${inner(additionalProperties)} }`;
  }
  const fields = Object.entries(properties).map(([name, schema]) =>
    required.includes(name) ? `readonly ${name}: ${inner(schema)}` : `readonly ${name}?: ${inner(schema)} | undefined`,
  );
  return `{ ${fields.join('; ')} }`;
}

/**
 * The type of the values of `schema` in Python. Objects with named properties become classes, which `define(name, lines)`
 * receives; `name` is the class of `schema` itself.
 */
export function pythonType(schema, name, define) {
  const { oneOf, anyOf, enum: choices, type } = schema;
  const variants = oneOf ?? anyOf;
  if (variants !== undefined) {
    const types = variants.map((one, at) => pythonType(one, `${name}${variantName(one, at)}`, define));
    return types.length === 1 ? types[0] : `Union[${[...new Set(types)].join(', ')}]`;
  }
  if (choices !== undefined) return `Literal[${choices.map(pythonLiteral).join(', ')}]`;
  if (schema.const !== undefined) return `Literal[${pythonLiteral(schema.const)}]`;
  switch (type) {
    case 'array':
      if (schema.prefixItems !== undefined && schema.items === undefined) {
        const items = schema.prefixItems.map((item) => pythonType(item, name, define));
        // JSON has no tuples: a list of the same items is taken as well.
        return `Union[Tuple[${items.join(', ')}], List[Any]]`;
      }
      return `Sequence[${pythonType(schema.items, name, define)}]`;
    case 'object':
      return pythonObject(schema, name, define);
    case 'integer':
      return 'int';
    case 'number':
      return 'float';
    case 'string':
      return 'str';
    case 'boolean':
      return 'bool';
    case undefined:
      return 'Any';
    default:
      throw new Error(`expected a schema with a known type, got ${JSON.stringify(schema).slice(0, 200)}`);
  }
}

function pythonObject({ properties, required = [], additionalProperties }, name, define) {
  if (properties === undefined) return `Mapping[str, ${pythonType(additionalProperties, name, define)}]`;
  const isPartial = Object.keys(properties).some((field) => !required.includes(field));
  if (isPartial && required.some((field) => properties[field].const === undefined)) {
    // Python 3.9 cannot mark one key as required: the keys that are have a class of their own.
    const base = `_${name}Required`;
    define(
      base,
      required.map((field) => `    ${field}: ${pythonType(properties[field], name, define)}`),
      '(TypedDict)',
    );
    const rest = Object.keys(properties).filter((field) => !required.includes(field));
    const lines = rest.map((field) => `    ${field}: ${pythonType(properties[field], name, define)}`);
    define(name, lines, `(${base}, total=False)`);
    return name;
  }
  const lines = Object.entries(properties).map(
    ([field, schema]) => `    ${field}: ${pythonType(schema, name, define)}`,
  );
  define(name, lines, isPartial ? '(TypedDict, total=False)' : '(TypedDict)');
  return name;
}

/** A variant of an object is named for its `type`, or for its first property. */
function variantName({ properties }, at) {
  if (properties === undefined) return `${at + 1}`;
  const kind = properties.type?.const ?? Object.keys(properties)[0];
  return pascal(kind);
}

function pascal(name) {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

function isUnion({ oneOf, anyOf, enum: choices, type }) {
  return [oneOf ?? anyOf, choices, type].some((list) => Array.isArray(list) && list.length > 1);
}

function union(types) {
  return [...new Set(types)].join(' | ');
}

/** Single quotes, as the formatter of this project writes them. */
function typescriptLiteral(value) {
  return typeof value === 'string'
    ? `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
    : JSON.stringify(value);
}

function pythonLiteral(value) {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return JSON.stringify(value);
}

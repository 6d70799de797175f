import type { Builder } from './builder.ts'
import { nodeBuilder } from './node/node-builder.ts'
import { procfileBuilder } from './procfile/procfile-builder.ts'

/** Every builder, in the order in which they are asked: the first that recognises a tree builds it. */
export const builders: readonly Builder[] = [nodeBuilder, procfileBuilder]

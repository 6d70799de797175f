const moments = ['before', 'after'] as const

/**
 * Every place of a rotation of the master key at which a crash is tested: on both sides of the file of the new key, of the
 * commit that makes it current, of a batch of values, of the commit that ends the old key, of the removal of its file, and of
 * the end.
 */
export const keyRotationFailpoints = (['key', 'switch', 'batch', 'retire', 'remove', 'finish'] as const).flatMap(
  (step) => moments.map((moment) => `key_rotation.${step}.${moment}` as const),
)

export type KeyRotationFailpoint = (typeof keyRotationFailpoints)[number]

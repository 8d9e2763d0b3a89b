/** Every path of a layer -> the target of a symbolic link, empty for anything else. */
export type PathList = Readonly<Record<string, string>>

/** The file in the output of a layer that lists its paths, for layers that refer to them. */
export const PATHS_FILE = 'paths.json'

import { showing } from './catalogue-entry.ts'

/** What can be wrong with a push or an uploaded tree. */
export const sourceErrors = showing(['git', 'api', 'deploy'], {
  empty_tree: {
    status: 400,
    title: 'The tree is empty',
    description: 'The commit has no files, or none below the root folder of the app. Add something and push again.',
  },
  root_not_found: {
    status: 400,
    title: 'The root folder of the app does not exist',
    description:
      'The commit has no folder of the name that the app has as its `root`. Correct the `root` of the app, or the tree.',
  },
  commit_not_found: {
    status: 400,
    title: 'The commit does not exist',
    description: 'The repository of the app has no such commit. Push it first.',
  },
  source_not_found: {
    status: 400,
    title: 'The source does not exist',
    description: 'There is no uploaded source with this id, or it belongs to another app.',
  },
  ref_rejected: {
    status: 400,
    title: 'This ref cannot be pushed',
    description:
      "Only branches and tags can be pushed; names under `refs/gantry/` are Gantry's own. The message says which branch deploys.",
  },
  ref_name_invalid: {
    status: 400,
    title: 'The name of the ref is malformed',
    description: 'git does not accept the name of this branch or tag. Rename it.',
  },
  ref_deletion_rejected: {
    status: 400,
    title: 'The branch that deploys cannot be deleted',
    description: 'The branch is the one that an app deploys from. To remove the app, use `gantry apps delete`.',
  },
  push_conflict: {
    status: 409,
    title: 'Another push came first',
    description: 'The ref changed while this push was received. Fetch, look at what changed, and push again.',
  },
  push_in_progress: {
    status: 409,
    title: 'Another push to this repository is running',
    description: 'Wait until it has ended, and push again.',
  },
  deploy_failed: {
    status: 409,
    title: 'The deploy of this push failed',
    description:
      'The push was taken back so that pushing again retries. The message has the reason, whose own code is on the deploy.',
  },
  push_too_large: {
    status: 413,
    title: 'The push is too large',
    description:
      'The message says how large a push may be. Keep data out of the repository, or split its history over several pushes.',
  },
  object_rejected: {
    status: 400,
    title: 'An object is malformed',
    description:
      "git's own checks refused an object of the push; the message names it and the check. Such objects are made by broken tools or on purpose.",
  },
  path_rejected: {
    status: 400,
    title: 'A path is not allowed',
    description:
      'The tree has a path that cannot be checked out safely, such as one with `..`, `.git` or a control character, or an absolute one.',
  },
  link_rejected: {
    status: 400,
    title: 'A symbolic link leads out of the tree',
    description: 'Symbolic links must stay inside the tree. The message names the link.',
  },
  file_type_rejected: {
    status: 400,
    title: 'A file is of a kind that is not allowed',
    description: 'An upload may have files, folders and symbolic links; no devices, sockets, FIFOs or hard links.',
  },
  too_many_files: {
    status: 400,
    title: 'The tree has too many files',
    description: 'The message says how many a tree may have. Folders such as `node_modules` do not belong in it.',
  },
  file_too_large: {
    status: 400,
    title: 'A file is too large',
    description: 'The message names the file and the limit. Keep large data in a service or in object storage.',
  },
  archive_invalid: {
    status: 400,
    title: 'The upload is not a tar archive',
    description: 'The body could not be read as a tar archive, or ended early. `gantry deploy` makes a right one.',
  },
  submodule_unsupported: {
    status: 400,
    title: 'Submodules are not supported',
    description:
      'The tree has a git submodule, whose content is not part of the push. Put the files into the repository (`git subtree add`), or install them as a dependency.',
  },
  lfs_unsupported: {
    status: 400,
    title: 'Git LFS is not supported',
    description:
      'The tree has Git LFS pointers in place of files. Put the files into the repository itself (`git lfs migrate export`), or fetch them in the build.',
  },
})

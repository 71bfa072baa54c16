import type { ko } from '../ko/notices.ts';
import type { Messages } from '../text.svelte.ts';

export const en: Messages<typeof ko> = {
  title: 'Notices',
  board: 'Board',
  board_notice: 'Notices',
  board_library: 'Library',
  subject: 'Subject',
  published: 'Published',
  files: 'Files',
  files_count: '{count}',
  search: 'Search subjects',
  none: 'There are no posts yet. New ones will appear here.',
  none_guest: 'Nothing is public. Members see more after logging in.',
  pinned: 'Important',
  unread: 'New',
  withdrawn: 'Withdrawn',
  draft: 'Not published',
  download: 'Download {name}',
  to_list: 'To the list',
};

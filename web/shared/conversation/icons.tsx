import type { JSX } from 'preact'

const icon = (path: string) => (): JSX.Element => (
  <svg class="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">
    <path d={path} />
  </svg>
)

/** Line icons on a 24 grid, decorative only: every button that shows one also has words. */
export const PhotoIcon = icon('M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7z')
export const FileIcon = icon('M7 3h7l5 5v13H7zM14 3v5h5')
export const VoiceIcon = icon(
  'M12 4a2.5 2.5 0 0 1 2.5 2.500v5a2.5 2.5 0 0 1-5 0v-5A2.5 2.5 0 0 1 12 4zM6.5 11.500a5.5 5.5 0 0 0 11 0M12 17v3.5',
)
export const SendIcon = icon('M4 12 20 4.5 15.5 20l-3.5-6.500zM12 13.5 20 4.5')
export const StopIcon = icon('M7 7h10v10H7z')
export const CloseIcon = icon('M6 6l12 12M18 6 6 18')
export const PhoneIcon = icon(
  'M6 4h3.500l1.5 4.5-2 1.500a11 11 0 0 0 5 5l1.5-2 4.5 1.500V18a2 2 0 0 1-2 2A14 14 0 0 1 4 6a2 2 0 0 1 2-2z',
)
export const MenuIcon = icon('M4 7h16M4 12h16M4 17h16')
export const SaveIcon = icon('M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14')
export const LockIcon = icon('M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3')
export const CheckIcon = icon('M5 12.5 10 17.5 19.5 7')
export const DoubleCheckIcon = icon('M2.5 12.5 7 17 16 7.500M11.5 15.5 13 17 22 7.5')
export const WaitIcon = icon('M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM12 8v4.500l3 2')
export const WarnIcon = icon('M12 4 21.5 20h-19zM12 10v4.500M12 17v.5')
export const InfoIcon = icon('M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM12 11v5M12 8v.5')
export const DownIcon = icon('M12 5v13M6.5 12.5 12 18l5.5-5.5')
export const OfflineIcon = icon(
  'M4 4l16 16M8 12a6 6 0 0 1 2-1.3M5 9a11 11 0 0 1 3-2M12 6c3 0 5.5 1 7.5 3M16 12a6 6 0 0 0-2-1.3M12 17v.5',
)

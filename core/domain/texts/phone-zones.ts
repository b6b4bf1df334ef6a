/**
 * Where a telephone is, by its number: for quiet hours in the recipient's own time. North American area codes that lie in one zone, or almost; for the ones that
 * straddle two the western, later one is named, so that a morning text is never too early. Other countries: only those with a single zone.
 */
const areaCodes: Record<string, string> = {
  'America/New_York':
    '201 202 203 207 212 215 216 220 223 227 229 231 234 239 240 248 252 260 267 269 272 276 283 301 302 304 305 313 315 317 321 326 330 332 335 336 339 340 347 351 352 363 380 386 401 404 407 410 412 413 419 423 434 440 443 445 463 470 472 475 484 508 513 516 517 518 540 551 561 567 570 571 574 582 585 586 603 607 609 610 614 616 617 624 631 640 645 646 656 667 678 680 681 686 689 703 704 706 716 717 718 724 727 728 732 734 740 743 754 757 762 765 770 771 772 774 781 786 787 802 803 804 810 813 814 821 826 828 835 838 839 843 845 848 854 856 857 859 860 861 862 863 864 865 878 904 908 910 912 914 917 919 929 934 937 939 941 943 947 948 954 959 973 978 980 984 989',
  'America/Chicago':
    '205 210 214 217 218 219 224 225 228 251 254 256 262 270 274 281 309 312 314 316 318 319 320 325 331 334 337 346 353 361 364 402 405 409 414 417 430 432 447 448 469 479 501 502 504 507 512 515 531 534 539 557 563 572 573 580 601 608 612 615 618 620 629 630 636 641 651 659 660 662 682 708 712 713 715 726 730 731 737 763 769 773 779 812 815 816 817 830 832 847 850 870 872 901 903 906 913 918 920 930 931 936 938 940 945 952 956 972 975 979 985',
  'America/Denver': '303 307 308 385 406 435 505 575 605 701 719 720 785 801 915 970 983',
  'America/Phoenix': '480 520 602 623 928',
  'America/Los_Angeles':
    '206 208 209 213 253 279 310 323 341 350 360 408 415 424 425 442 458 503 509 510 530 541 559 562 564 619 626 628 650 657 661 669 702 707 714 725 747 760 775 805 818 820 831 840 858 909 916 925 949 951 971 986',
  'America/Anchorage': '907',
  'Pacific/Honolulu': '808',
}
const countries: readonly (readonly [string, string])[] = [
  ['+44', 'Europe/London'],
  ['+353', 'Europe/Dublin'],
  ['+34', 'Europe/Madrid'],
  ['+33', 'Europe/Paris'],
  ['+49', 'Europe/Berlin'],
  ['+39', 'Europe/Rome'],
  ['+41', 'Europe/Zurich'],
  ['+43', 'Europe/Vienna'],
  ['+31', 'Europe/Amsterdam'],
  ['+32', 'Europe/Brussels'],
  ['+57', 'America/Bogota'],
  ['+51', 'America/Lima'],
  ['+503', 'America/El_Salvador'],
  ['+502', 'America/Guatemala'],
  ['+504', 'America/Tegucigalpa'],
]

const zones = new Map(
  Object.entries(areaCodes).flatMap(([zone, codes]) => codes.split(' ').map(c => [c, zone] as const)),
)

/** The IANA time zone of an E.164 number, or null where the number does not tell. A mobile number may have moved; it is the best that is known. */
export const zoneOfNumber = (e164: string): string | null => {
  const american = /^\+1(\d{3})\d{7}$/.exec(e164)
  if (american) return zones.get(american[1] ?? '') ?? null
  return countries.find(([prefix]) => e164.startsWith(prefix))?.[1] ?? null
}

# Pages are written for GitHub. Doxygen 1.9.4 knows neither its anchors nor the files that are not pages: of a link to
# one only the text is kept. (Whether all links lead somewhere is checked by scripts/docs.sh.)
/^```/,/^```$/b
s/\]\(([^)#: ]+\.md)#[^) ]*\)/](\1)/g
s/\]\(([^)#: ]+\.md)\)/]<page \1>/g
s/\[([^]]*)\]\([^): ]*\)/\1/g
s/\]<page ([^>]*)>/](\1)/g

# Arrays, functions, here-documents, pipelines, subshells, job control, traps.
set -u
declare -A count
seed=42
for i in $(seq 1 4000); do
  seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
  word=w$((seed % 97))
  count[$word]=$((${count[$word]:-0} + 1))
  list[i]=${word/w/x}
done
for word in $(printf '%s\n' "${!count[@]}" | sort); do printf '%s=%s ' "$word" "${count[$word]}"; done
echo
printf '%s\n' "${list[@]}" | sort | uniq -c | sort -k1,1n -k2,2 | tail -3
text=$(cat <<DOCUMENT
${list[*]:0:50}
DOCUMENT
)
for i in {1..300}; do text=${text//x/yx}; text=${text//yyx/x}; done
echo "${#text} ${text:0:40}"
trap 'echo usr1' USR1
for i in {1..20}; do (exit $((i % 3))) & done
wait
kill -USR1 $$
for i in {1..40}; do x=$(echo "$i" | { read -r n; echo $((n * n)); }); done
echo "$x"
exit 3

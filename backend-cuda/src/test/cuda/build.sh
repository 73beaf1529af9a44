#!/bin/bash
# Compiles every kernel to its own sm_90a image, all at once: build.sh SOURCES IMAGES
set -u
sources=$1 images=$2
mkdir -p "$images"
flags=(-std=c++20 -O3 -gencode=arch=compute_90a,code=sm_90a -Xptxas -v -cubin -I "$sources")
for file in "$sources"/*.cu; do
  name=$(basename "$file" .cu)
  if grep -q '^MOE_EXPERTS' "$file"; then  # each takes half a minute: one process each
    grep -v '^MOE_EXPERTS' "$file" > "$images/$name.head"
    grep '^MOE_EXPERTS' "$file" | while read -r line; do
      kernel=$(echo "$line" | sed 's/.*(\([a-z0-9_]*\),.*/\1/')
      { cat "$images/$name.head"; echo "$line"; } > "$images/$kernel.cu"
    done
  else
    cp "$file" "$images/$name.cu"
  fi
done
for file in "$images"/*.cu; do
  (nvcc "${flags[@]}" -o "${file%.cu}.cubin" "$file" > "${file%.cu}.log" 2>&1 ||
    echo "FAILED $file") &
done
wait
grep -hE "error|warning|C75[0-9]+" "$images"/*.log
exit 0

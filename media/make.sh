#!/bin/sh
# Makes the clips in this folder anew. Needs ffmpeg with libx264, libx265 and drawtext.
set -eu
cd "$(dirname "$0")"

# box LEFT TOP WIDTH HEIGHT COLOUR: a filled rectangle, in hundredths of the picture.
box() { printf 'drawbox=iw*%s/100:ih*%s/100:iw*%s/100:ih*%s/100:%s:fill' "$@"; }

# windows LEFT TOP COLUMNS ROWS: a house's windows.
windows() {
    row=0
    while [ $row -lt "$4" ]; do
        column=0
        while [ $column -lt "$3" ]; do
            printf ',%s' "$(box $(($1 + column * 4)) $(($2 + row * 8)) 2 4 0x2A3440)"
            column=$((column + 1))
        done
        row=$((row + 1))
    done
}

# car COLOUR WIDTH SECONDS: a car seen from the side.
car() {
    printf 'color=%s:s=%sx%s:r=25:d=%s,format=yuva420p,%s,%s,%s,%s,%s,%s' "$1" "$2" $(($2 * 4 / 10)) "$3" \
        "$(box 0 0 20 45 0x00000000):replace=1" "$(box 85 0 15 45 0x00000000):replace=1" \
        "$(box 27 8 22 36 0x1D2B38)" "$(box 54 8 24 36 0x1D2B38)" \
        "$(box 14 72 16 28 0x111111)" "$(box 70 72 16 28 0x111111)"
}

# street WIDTH HEIGHT SECONDS NAME: a filter graph of a street as a fixed camera sees it: houses,
# a road, three cars, sensor noise, and the clock, counter and name that cameras burn in. The cars
# cross the picture a whole number of times, so that the end of the clip meets its beginning.
street() {
    text="fontcolor=white:borderw=$(($2 / 360 + 1)):bordercolor=black:fontsize=h/16"
    cat <<EOF
gradients=s=$1x$2:r=25:d=$3:c0=0x7FB2E5:c1=0xDDEBF5:x0=0:y0=0:x1=0:y1=$(($2 * 6 / 10)):n=2:speed=0.00001,
$(box 0 30 16 34 0x8C5A3C),$(box 16 18 20 46 0x9A9486),$(box 36 34 14 30 0xB9744F),
$(box 50 22 22 42 0x6E7F80),$(box 72 36 28 28 0xA89F91)
$(windows 2 34 3 3)$(windows 18 23 4 5)$(windows 38 39 3 3)$(windows 52 27 5 4)$(windows 74 41 6 2),
$(box 0 64 100 5 0x9D9D98),$(box 0 69 100 31 0x4A4C4F),$(box 2 84 10 1.2 0xE8E8DC),$(box 22 84 10 1.2 0xE8E8DC),
$(box 42 84 10 1.2 0xE8E8DC),$(box 62 84 10 1.2 0xE8E8DC),$(box 82 84 10 1.2 0xE8E8DC)[street];
$(car 0xC0392B $(($1 / 120 * 20)) "$3")[red]; $(car 0xECF0F1 $(($1 / 100 * 20)) "$3")[white]; $(car 0x2E4A8A $(($1 / 80 * 20)) "$3")[blue];
[street][red]overlay=x='mod(t/$3+0.10,1)*(W+w)-w':y=H*0.66[one];
[one][white]overlay=x='W-mod(t/$3+0.60,1)*(W+w)':y=H*0.70[two];
[two][blue]overlay=x='mod(2*t/$3+0.35,1)*(W+w)-w':y=H*0.80,
noise=alls=6:allf=t,
drawtext=text='%{pts\\:gmtime\\:1767254400}':x=w*0.02:y=h*0.03:$text,
drawtext=text='frame %{frame_num}':x=w*0.76:y=h*0.03:$text,
drawtext=text='$4':x=w*0.02:y=h*0.92:$text,
format=yuv420p
EOF
}

# encode FILE SECONDS GRAPH ENCODER-OPTIONS...: one thread, so that the result is the same everywhere.
encode() {
    file=$1 seconds=$2 graph=$3
    shift 3
    ffmpeg -v error -y -filter_complex "$graph" -t "$seconds" -c:v libx264 -threads 1 "$@" -f h264 "$file"
}

# As most cameras code: no B-frames, a key frame every 2 s, four slices, AUD not used.
encode street-720p25.h264 4 "$(street 1280 720 4 'IPC 01  Main Street')" \
    -profile:v main -preset medium -b:v 2M -maxrate 2M -bufsize 2M -bf 0 -g 50 -keyint_min 50 -sc_threshold 0 -slices 4

# B-frames, access unit delimiters, buffering and timing SEI, a key frame every second.
encode street-1080p25.h264 4 "$(street 1920 1080 4 'IPC 02  Main Street')" \
    -profile:v high -preset medium -b:v 4M -maxrate 4M -bufsize 4M -bf 2 -g 25 -keyint_min 25 -sc_threshold 0 \
    -x264-params aud=1:nal-hrd=vbr:pic-struct=1

# For tests: small.
encode tiny.h264 2 "$(street 176 144 2 'IPC 03')" \
    -profile:v baseline -preset medium -b:v 120k -maxrate 120k -bufsize 120k -g 25 -keyint_min 25 -sc_threshold 0

# encode265 FILE SECONDS GRAPH KBIT GOP: H.265 as cameras code it, without B-frames.
encode265() {
    ffmpeg -v error -y -filter_complex "$3" -t "$2" -c:v libx265 -preset medium \
        -x265-params "log-level=none:pools=none:frame-threads=1:info=0:bitrate=$4:vbv-maxrate=$4:vbv-bufsize=$4:bframes=0:keyint=$5:min-keyint=$5:open-gop=0:scenecut=0:repeat-headers=1" \
        -f hevc "$1"
}

encode265 street-720p25.h265 4 "$(street 1280 720 4 'IPC 04  Main Street')" 1000 50
encode265 tiny.h265 1 "$(street 176 144 1 'IPC 05')" 80 25

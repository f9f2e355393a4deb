# Haetae: chooses the slot to boot, takes a try from it, durably, and only then boots it.
# Made by ota/image/boot_script.py; the state is described in ota/image/boot_state.py.
# Wants: devtype, devnum (as U-Boot's distro boot sets them), kernel_addr_r, ramdisk_addr_r and,
# for a device tree of the image's own, fdt_addr_r. Nothing here names a board.

echo "haetae: boot from ${devtype} ${devnum}"
setenv h_one ${ramdisk_addr_r}
setexpr h_two ${h_one} + 1000
setexpr h_three ${h_one} + 2000
setexpr h_sum ${h_one} + 3000
setexpr h_one_crc ${h_one} + @TEXT_BYTES@
setexpr h_two_crc ${h_two} + @TEXT_BYTES@
setexpr h_three_crc ${h_three} + @TEXT_BYTES@
setenv h_names "@NAMES@"
setenv haetae_seq 0
setenv haetae_order "a b"
setenv haetae_a_left @TRIES@
setenv haetae_b_left @TRIES@
setenv haetae_a_proved 0
setenv haetae_b_proved 0

# A number of blocks of 512 bytes; the copy that counts last is written over next.
setenv h_start
part start ${devtype} ${devnum} misc h_start
setexpr h_blk_one ${h_start} + @FIRST_BLOCK@
setexpr h_blk_two ${h_start} + @SECOND_BLOCK@
setenv h_seq_one
setenv h_seq_two
${devtype} dev ${devnum}
if ${devtype} read ${h_one} ${h_blk_one} 1; then
  crc32 ${h_one} @TEXT_BYTES@ ${h_sum}
  if cmp.b ${h_sum} ${h_one_crc} 4; then
    env import -t ${h_one} @TEXT_BYTES@ haetae_seq
    setenv h_seq_one ${haetae_seq}
  else
    echo "haetae: copy 1 of the boot state is damaged"
  fi
fi
if ${devtype} read ${h_two} ${h_blk_two} 1; then
  crc32 ${h_two} @TEXT_BYTES@ ${h_sum}
  if cmp.b ${h_sum} ${h_two_crc} 4; then
    env import -t ${h_two} @TEXT_BYTES@ haetae_seq
    setenv h_seq_two ${haetae_seq}
  else
    echo "haetae: copy 2 of the boot state is damaged"
  fi
fi
setenv h_from none
if test -n "${h_seq_one}"; then
  setenv h_from one
fi
if test -n "${h_seq_two}"; then
  if test -z "${h_seq_one}"; then
    setenv h_from two
  elif itest 0x${h_seq_two} -gt 0x${h_seq_one}; then
    setenv h_from two
  fi
fi
setenv h_blk ${h_blk_one}
setenv h_next_blk ${h_blk_two}
if test ${h_from} = one; then
  env import -t ${h_one} @TEXT_BYTES@ ${h_names}
  setenv h_blk ${h_blk_two}
  setenv h_next_blk ${h_blk_one}
fi
if test ${h_from} = two; then
  env import -t ${h_two} @TEXT_BYTES@ ${h_names}
fi
if test ${h_from} = none; then
  echo "haetae: no boot state can be used; both slots have all their tries"
  setenv haetae_seq 0
fi
echo "haetae: state ${haetae_seq}: order ${haetae_order}, left a ${haetae_a_left} b ${haetae_b_left}"

# One record to the copy that does not count, read back; then the copies change places.
setenv h_write 'setexpr haetae_seq ${haetae_seq} + 1; env export -t -s @TEXT_BYTES@ ${h_three} ${h_names}; crc32 ${h_three} @TEXT_BYTES@ ${h_three_crc}; ${devtype} write ${h_three} ${h_blk} 1; ${devtype} read ${h_one} ${h_blk} 1; if cmp.b ${h_one} ${h_three} @SECTOR_BYTES@; then setenv h_swap ${h_blk}; setenv h_blk ${h_next_blk}; setenv h_next_blk ${h_swap}; else echo "haetae: the boot state could not be written"; fi'

# Returns only where this slot cannot boot. With gpt Linux takes the other copy of a torn partition
# table; nobody is there to answer fsck.
setenv h_boot 'part number ${devtype} ${devnum} boot_${h_slot} h_part; setenv bootargs console=@CONSOLE@ root=PARTLABEL=root_${h_slot} ro rootwait gpt fsck.repair=yes haetae.slot=${h_slot} rauc.slot=${h_slot} panic=10 systemd.crash_reboot=yes @EXTRA@; setenv h_fdt ${fdtcontroladdr}; if test -n "${fdt_addr_r}"; then if load ${devtype} ${devnum}:${h_part} ${fdt_addr_r} board.dtb; then setenv h_fdt ${fdt_addr_r}; fi; fi; if load ${devtype} ${devnum}:${h_part} ${kernel_addr_r} vmlinuz; then if load ${devtype} ${devnum}:${h_part} ${ramdisk_addr_r} initrd.img; then booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${h_fdt}; fi; fi; echo "haetae: slot ${h_slot} cannot be booted"'

setenv h_try 'if test ${h_slot} = a; then setenv h_left ${haetae_a_left}; else setenv h_left ${haetae_b_left}; fi; if itest 0x${h_left} -gt 0; then setexpr haetae_${h_slot}_left ${h_left} - 1; run h_write; echo "haetae: slot ${h_slot}, try of ${h_left} left"; run h_boot; fi'

for h_slot in ${haetae_order}; do
  run h_try
done

echo "haetae: no slot has a try left that boots; all of them get theirs back"
if test "${haetae_order}" = "a b" -a ${haetae_a_proved} = 0 -a ${haetae_b_proved} = 1; then
  setenv haetae_order "b a"
elif test "${haetae_order}" = "b a" -a ${haetae_b_proved} = 0 -a ${haetae_a_proved} = 1; then
  setenv haetae_order "a b"
fi
setenv haetae_a_left @TRIES@
setenv haetae_b_left @TRIES@
run h_write
sleep 1
reset

#include "dualdepth/data/synthetic_picture.h"

#include "dualdepth/data/synthetic_parking.h"
#include "dualdepth/data/synthetic_render.h"
#include "dualdepth/data/synthetic_rig.h"
#include "dualdepth/data/synthetic_road.h"

namespace dualdepth::synthetic {

cv::Mat render_picture(DatasetKind layout, cv::Size size, int index) {
  constexpr uint64_t kSeed = 0;
  if (layout == DatasetKind::kNcdb) {
    const ParkingDrive drive(kSeed, index, /*frames=*/1);
    const Camera camera = fisheye_camera(VadasCamera(), size, drive.camera_pose(0));
    return render(drive.scene(), camera, drive.sensor(0)).rgb;
  }
  const RoadDrive drive(kSeed, index, /*frames=*/1);
  const KittiRig rig(size);
  const Camera camera = pinhole_camera(rig.intrinsics(), size, drive.camera_pose(0));
  return render(drive.scene(0), camera, drive.sensor(0)).rgb;
}

}  // namespace dualdepth::synthetic

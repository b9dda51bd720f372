/** What the board's charts are drawn with: only these parts of ECharts are in the bundle. */
import { BarChart, HeatmapChart, LineChart, RadarChart } from "echarts/charts";
import {
  GridComponent,
  LegendPlainComponent,
  MarkAreaComponent,
  RadarComponent,
  TooltipComponent,
} from "echarts/components";
import { connect, init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, HeatmapChart, LineChart, RadarChart]);
use([GridComponent, LegendPlainComponent, MarkAreaComponent, RadarComponent, TooltipComponent]);
use([CanvasRenderer]);

globalThis.echarts = { connect, init };
